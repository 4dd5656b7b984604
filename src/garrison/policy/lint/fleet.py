"""Rules about limits that several processes count: what each counts alone, and what passes uncounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limits import parse
from garrison.policy.lint.limits import gives_way, written
from garrison.policy.lint.rule import Found, at, rule
from garrison.stores.near.share import share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.limits import Limit
    from garrison.policy.lint.rule import Facts

__all__: list[str] = []

_FLEET = """[stores]
records = "postgresql://garrison@127.0.0.1/garrison"
counters = "redis://garrison@127.0.0.1"
"""
_ROUTE = '[routes]\n"GET /notes" = {{ limit = "{}" }}'


def _parted(limit: Limit) -> bool:
    """Tell whether a process may have to count its part alone."""
    return "local" in {limit.counted, limit.otherwise}


@rule(
    "GP180",
    "error",
    bad=f"{_FLEET}processes = 8\n{_ROUTE.format('at most 5 in 1m per key else local')}",
    good=f"{_FLEET}processes = 8\n{_ROUTE.format('at most 50 in 1m per key else local')}",
)
def _no_part(facts: Facts) -> Iterator[Found]:
    """The part of a limit that each process counts alone is less than one.

    Nothing would pass while the process counts alone.
    """
    processes = facts.policy.stores.processes or facts.policy.workers
    for path, limit in written(facts):
        if _parted(limit) and limit.count and not share(limit, processes).count:
            text = f"is less than one request for each of {processes} processes"
            yield Found(path, text, "Write a larger count, or leave local out")


@rule(
    "GP181",
    "warning",
    bad=f"{_FLEET}{_ROUTE.format('50/s burst 500 per key else local')}",
    good=f"{_FLEET}processes = 8\n{_ROUTE.format('50/s burst 500 per key else local')}",
)
def _how_many(facts: Facts) -> Iterator[Found]:
    """A limit is divided among processes, and the policy does not say how many there are on all machines.

    Each would take it for the whole: eight pods pass eight times the limit.
    """
    stores = facts.policy.stores
    here = stores.counters == "memory:" or (
        stores.counters == "records:" and not stores.records.startswith("postgresql:")
    )
    if stores.processes or here:
        return
    for path, limit in written(facts):
        if _parted(limit) or limit.counted == "fast":
            text = f"is divided among {facts.policy.workers}, the workers of one machine"
            yield Found(path, text, "Write processes under [stores]: the most that count together")


@rule(
    "GP182",
    "warning",
    bad=f"{_FLEET}{_ROUTE.format('50/s burst 500 per key else open')}",
    good=f"{_FLEET}processes = 8\n{_ROUTE.format('50/s burst 500 per key else local')}",
)
def _uncounted(facts: Facts) -> Iterator[Found]:
    """Requests pass uncounted while the counters do not answer.

    Whoever can stall them is not limited.
    """
    for path, limit in written(facts):
        if limit.otherwise == "open":
            yield Found(path, "lets everything pass while its counters do not answer", 'Write "else local"')


@rule(
    "GP183",
    "error",
    bad=f"workers = 4\n{_FLEET}processes = 2",
    good=f"workers = 4\n{_FLEET}processes = 8",
)
def _too_few(facts: Facts) -> Iterator[Found]:
    """Fewer processes are said to count together than one machine has workers.

    The parts of all would be more than the whole.
    """
    stores, workers = facts.policy.stores, facts.policy.workers
    if 0 < stores.processes < workers:
        text = f"is less than the {workers} workers"
        yield Found(("stores", "processes"), text, "Write the most processes that count together, on all machines")


@rule(
    "GP184",
    "error",
    bad='[routes]\n"POST /codes" = { public = true, priority = "login", limit = "at most 5 in 15m else open" }',
    good='[routes]\n"POST /codes" = { public = true, priority = "login", limit = "at most 5 in 15m" }',
)
def _guessable(facts: Facts) -> Iterator[Found]:
    """A limit of a login route gives way when its counters do not answer, or each process counts it alone.

    Passwords and codes can then be guessed by whoever fells the counters.
    """
    for row in facts.written:
        if row.whole.priority == "login" and any(gives_way(parse(text)) for text in facts.limits(row)):
            text = "is for logins, and a limit of it gives way without its counters"
            yield at(row, text, "Give it a limit without fast, local and else", "limit")
