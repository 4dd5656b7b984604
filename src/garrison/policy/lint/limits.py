"""Rules about limits: what is not limited, limits that count the wrong party, and limits that let too much through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limits import Limit, parse
from garrison.model.units import HOUR
from garrison.policy.lint.rule import Example, Found, at, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.model.fit import Path
    from garrison.policy.lint.rule import Facts

__all__ = ["gives_way", "written"]

_LONG_BURST = HOUR
"""A burst that takes longer than this to come back is a second limit, hidden in the first."""


def written(facts: Facts) -> Iterator[tuple[Path, Limit]]:
    """Every limit that stands in the policy, with its place."""
    whole: list[tuple[Path, str | tuple[str, ...] | None]] = [(("defaults", "limit"), facts.policy.defaults.limit)]
    whole += [(("routes", name, "limit"), route.limit) for name, route in facts.policy.routes.items()]
    for path, limits in whole:
        if isinstance(limits, str):
            yield path, parse(limits)
        else:
            yield from (((*path, number), parse(text)) for number, text in enumerate(limits or ()))


def _of_accounts(facts: Facts) -> Iterator[tuple[Path, Limit]]:
    """Every limit that protects logins."""
    if facts.plain.accounts is not None:
        for field, text in facts.known("accounts", ("registrations", "logins", "failures", "failures_per_address")):
            yield ("accounts", field), parse(text)


def gives_way(limit: Limit) -> bool:
    """Tell whether more than a limit may pass when its counters do not answer, or a moment after its time."""
    return limit.counted != "exact" or limit.otherwise in {"local", "open"}


@rule(
    "GP051",
    "warning",
    bad='[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
    good='[defaults]\nlimit = "50/s burst 500 per principal"\n[routes]\n"GET /notes" = { scopes = ["notes:read"] }',
)
def _unlimited(facts: Facts) -> Iterator[Found]:
    """A route has no limit.

    One caller with one credential can take the whole service (OWASP API4:2023).
    """
    for row in facts.written:
        if not facts.limits(row) and not (row.whole.public and facts.writes(row)):
            yield at(row, "has no limit", 'Write limit under [defaults], such as "50/s burst 500 per principal"')


@rule(
    "GP052",
    "error",
    bad='[routes]\n"GET /notes" = { limit = ["5/s per key", "9/s burst 90 per key"] }',
    good='[routes]\n"GET /notes" = { limit = ["5/s per key", "100/h per key"] }',
)
def _one_counter(facts: Facts) -> Iterator[Found]:
    """Two limits of a route count the same party over the same window.

    They would share one counter and spend twice from it.
    """
    seen: set[tuple[object, ...]] = set()
    for path, limit in written(facts):
        counter = (path[:2], limit.per, limit.key)
        if counter in seen:
            yield Found(path, "counts what another limit of the route counts", "Remove one, or change its window")
        seen.add(counter)


@rule(
    "GP053",
    "warning",
    bad='[defaults]\nlimit = "1/m burst 500 per principal"',
    good='[defaults]\nlimit = "1/s burst 60 per principal"',
)
def _burst(facts: Facts) -> Iterator[Found]:
    """A burst takes more than an hour to come back.

    For that hour the limit is the burst, and the rate says nothing about it.
    """
    for path, limit in written(facts):
        if limit.algorithm == "rate" and limit.burst > limit.count and limit.drain > _LONG_BURST:
            yield Found(path, "has a burst that takes more than an hour to come back", "Write a smaller burst")


@rule(
    "GP054",
    "warning",
    bad='[accounts]\nlogins = "50 per calendar hour per address"',
    good='[accounts]\nlogins = "5/s burst 50 per address"',
)
def _calendar(facts: Facts) -> Iterator[Found]:
    """A limit that protects logins follows the calendar.

    Around the full hour twice as many attempts pass as it says.
    """
    for path, limit in _of_accounts(facts):
        if limit.algorithm == "calendar":
            yield Found(path, "lets twice its count pass around the turn of the calendar", 'Write "at most N in …"')


@rule(
    "GP055",
    "error",
    bad='[accounts]\nfailures = "at most 5 in 15m observe"',
    good='[accounts]\nfailures = "at most 5 in 15m"',
)
def _fails_open(facts: Facts) -> Iterator[Found]:
    """A limit that protects logins only observes, or gives way when its counters do not answer.

    Passwords can be guessed as fast as they are hashed.
    """
    for path, limit in _of_accounts(facts):
        if limit.mode == "observe":
            yield Found(path, "only observes, so logins fail open", "Remove observe")
        if gives_way(limit):
            yield Found(path, "gives way without its counters", "Leave fast, local and else out")


_GUESSES = 100


@rule(
    "GP056",
    "error",
    bad='[accounts]\nfailures = "at most 64 in 15m"',
    good='[accounts]\nfailures = "at most 5 in 15m"',
)
def _no_throttle(facts: Facts) -> Iterator[Found]:
    """Failed logins of one account are limited to more than 100 an hour.

    That is a thousand common passwords in a morning; NIST SP 800-63B-4 section 3.2.2 allows 100 in all.
    """
    accounts = facts.policy.accounts
    if accounts is None:
        return
    limit = parse(accounts.failures)
    if limit.count + limit.count * HOUR // limit.window > 2 * _GUESSES:
        text = "lets more than a hundred guesses an hour through"
        yield Found(("accounts", "failures"), text, 'Write "at most 5 in 15m"')


@rule(
    "GP057",
    "warning",
    bad='[defaults]\nlimit = "50/s burst 500 per principal observe"',
    good=Example('[defaults]\nlimit = "50/s burst 500 per principal observe"', "staging"),
)
def _observing(facts: Facts) -> Iterator[Found]:
    """A limit only observes in production.

    It is meant for trying a limit out; forgotten, it protects nothing.
    """
    for path, limit in written(facts):
        if facts.production and limit.mode == "observe":
            yield Found(path, "only observes", "Remove observe when its figures have been watched")


@rule(
    "GP058",
    "warning",
    bad='[routes]\n"GET /health" = { public = true, limit = "10/s per principal" }',
    good='[routes]\n"GET /health" = { public = true, limit = "10/s burst 100 per address" }',
)
def _all_anonymous(facts: Facts) -> Iterator[Found]:
    """A public route counts principals and not addresses.

    All callers without a credential are one principal: the first greedy one shuts the others out.
    """
    for row in facts.written:
        limits = [parse(text) for text in facts.limits(row)]
        if row.whole.public and limits and not any(limit.per == "address" for limit in limits):
            yield at(row, "is public and counts no addresses", 'Write limit = "… per address"', "limit")


@rule(
    "GP059",
    "warning",
    bad='[routes]\n"GET /notes" = { credentials = ["jwt"], limit = "10/s per key" }',
    good='[routes]\n"GET /notes" = { credentials = ["jwt"], limit = "10/s per principal" }',
)
def _keyless(facts: Facts) -> Iterator[Found]:
    """A route that takes no keys counts keys.

    The limit then counts tokens, and whoever fetches a new token begins anew.
    """
    for row in facts.written:
        if row.whole.public or facts.accepts(row, "key"):
            continue
        if any(parse(text).per == "key" for text in facts.limits(row)):
            yield at(row, "counts keys and accepts none", 'Write "… per principal"', "limit")


@rule(
    "GP060",
    "warning",
    bad='[defaults]\nlimit = "100/s per tenant"',
    good='[defaults]\nlimit = "100/s per principal"',
)
def _one_tenant(facts: Facts) -> Iterator[Found]:
    """A limit counts tenants where there is one.

    All callers share it: one of them can shut the others out.
    """
    if any(issuer.tenant for issuer in facts.policy.jwt.issuers.values()):
        return
    for path, limit in written(facts):
        if limit.per == "tenant":
            yield Found(path, "counts tenants, and no issuer names one", 'Write "… per principal" or "… per global"')


@rule(
    "GP061",
    "warning",
    bad='[routes]\n"GET /notes" = { limit = "0/s" }',
    good='[routes]\n"GET /notes" = { limit = "1/s" }',
)
def _nothing(facts: Facts) -> Iterator[Found]:
    """A limit lets nothing through.

    Nobody can call the route; removing it from the policy says so more plainly.
    """
    for path, limit in written(facts):
        if limit.count == 0:
            yield Found(path, "lets nothing through", "Write a count, or remove the route")
