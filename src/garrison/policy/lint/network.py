"""Rules about the network: hosts, proxies, how much a caller may send, and what is done under load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.net import extent
from garrison.model.units import MILLISECOND, MINUTE, SECOND, duration, size
from garrison.policy.lint.rule import Example, Found, at, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.policy.lint.rule import Facts

__all__: list[str] = []

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SANE = {
    "body": 100 << 20,
    "body_rate": 1 << 30,
    "header_bytes": 256 << 10,
    "path": 64 << 10,
    "query": 64 << 10,
}
_SANE_COUNTS = {"header_count": 1_000, "fields": 100_000, "depth": 100}


@rule("GP011", "warning", bad='service = "notes"', good='hosts = ["api.example.com"]')
def _hosts(facts: Facts) -> Iterator[Found]:
    """No host is listed in production.

    Only loopback is served then.
    """
    if facts.production and not facts.policy.hosts:
        yield Found(("hosts",), "lists no host, so only loopback is served", 'Write hosts = ["api.example.com"]')


@rule("GP012", "warning", bad='hosts = ["localhost"]', good='hosts = ["api.example.com"]')
def _loopback_host(facts: Facts) -> Iterator[Found]:
    """A loopback name is served in production.

    A page whose name is rebound to loopback could then be answered on a shared machine.
    """
    for number, host in enumerate(facts.policy.hosts):
        if facts.production and host in _LOOPBACK:
            remedy = "Move it to [environments.development]"
            yield Found(("hosts", number), f"{host!r} is a name of this machine only", remedy)


@rule(
    "GP013",
    "error",
    bad='[forwarded]\npeers = ["0.0.0.0/0"]',
    good='[forwarded]\npeers = ["10.0.0.0/8"]',
)
def _every_peer(facts: Facts) -> Iterator[Found]:
    """Everybody is trusted to say who the client is.

    Any caller then chooses its own address, and with it whose limits are spent.
    """
    for number, text in enumerate(facts.policy.forwarded.peers):
        bits, prefix = extent(text)
        if bits and not prefix:
            yield Found(("forwarded", "peers", number), "trusts every address", "List the networks of your own proxies")


@rule(
    "GP014",
    "warning",
    bad='[forwarded]\npeers = ["8.0.0.0/6"]',
    good='[forwarded]\npeers = ["192.0.2.0/24"]',
)
def _wide_peers(facts: Facts) -> Iterator[Found]:
    """A very wide network is trusted to say who the client is.

    Others live in it too.
    """
    for number, text in enumerate(facts.policy.forwarded.peers):
        bits, prefix = extent(text)
        if 0 < prefix < (8 if bits == 32 else 7):
            yield Found(("forwarded", "peers", number), "is wider than one owner's network", "List your own proxies")


@rule("GP015", "warning", bad='[caps]\nbody = "1GiB"', good='[caps]\nbody = "1MiB"')
def _caps(facts: Facts) -> Iterator[Found]:
    """A cap is above every sane figure.

    A few callers at once fill the memory.
    """
    sane = {**_SANE, **_SANE_COUNTS}
    for name, figure in facts.known("caps", sane):
        if (figure if name in _SANE_COUNTS else size(figure)) > sane[name]:
            yield Found(("caps", name), "is above every sane figure", f"Write at most {sane[name]}")


@rule("GP016", "error", bad='[caps]\nbody_rate = "0B"', good='[caps]\nbody_rate = "16KiB"')
def _no_cap(facts: Facts) -> Iterator[Found]:
    """A cap is nothing.

    No request at all would pass, or no slow one would ever end.
    """
    for name, text in facts.known("caps", _SANE):
        if name != "body" and size(text) == 0:
            yield Found(("caps", name), "is nothing", "Write a size, or leave the line out")
    for name, text in facts.known("caps", ("body_time",)):
        if duration(text) == 0:
            yield Found(("caps", name), "is nothing", 'Write "10s"')


@rule("GP017", "warning", bad='[caps]\nbody_time = "1h"', good='[caps]\nbody_time = "10s"')
def _slow(facts: Facts) -> Iterator[Found]:
    """A body may take more than five minutes.

    Callers that send a byte now and then hold every worker (slow bodies).
    """
    if duration(facts.policy.caps.body_time) > 5 * MINUTE:
        yield Found(("caps", "body_time"), "is longer than five minutes", 'Write "10s"; body_rate grants more')


@rule(
    "GP018",
    "warning",
    bad='[routes]\n"PUT /files/{id}" = { max_body = "2GiB", own = true, scopes = ["files:write"] }',
    good='[routes]\n"PUT /files/{id}" = { max_body = "20MiB", own = true, scopes = ["files:write"] }',
)
def _large_route(facts: Facts) -> Iterator[Found]:
    """A route takes bodies of more than 100 MiB.

    A few callers at once fill memory or disk.
    """
    for name, route in facts.policy.routes.items():
        if route.max_body and size(route.max_body) > _SANE["body"]:
            yield Found(("routes", name, "max_body"), "is above every sane figure", 'Write "100MiB" or less')


@rule(
    "GP019",
    "warning",
    bad=Example('hosts = ["api.example.com"]\n[forwarded]\nhops = 8\nscheme = false\npeers = ["10.0.0.0/8"]'),
    good=Example('hosts = ["api.example.com"]\n[forwarded]\npeers = ["10.0.0.0/8"]'),
)
def _scheme(facts: Facts) -> Iterator[Found]:
    """Proxies are believed about the client and not about https.

    Behind a proxy that ends TLS every request looks like http: HSTS is not sent, and secure cookies are not set.
    """
    if facts.production and facts.policy.forwarded.peers and not facts.policy.forwarded.scheme:
        yield Found(("forwarded", "scheme"), "is off, so no request counts as https", "Remove the line")


@rule(
    "GP160",
    "warning",
    bad='[routes]\n"GET /health" = { public = true, priority = "critical" }',
    good='[routes]\n"GET /health" = { public = true, priority = "critical", limit = "10/s per address" }',
)
def _critical(facts: Facts) -> Iterator[Found]:
    """A route goes before all others, and anybody may call it as often as they like.

    Whoever floods it keeps everybody else out.
    """
    for row in facts.written:
        if row.whole.priority == "critical" and row.whole.public and not facts.limits(row):
            yield at(
                row, "is first in line for everybody, without a limit", 'Write limit = "10/s per address"', "priority"
            )


@rule("GP161", "error", bad='[overload]\nwait = "0s"', good='[overload]\nwait = "25ms"')
def _no_wait(facts: Facts) -> Iterator[Found]:
    """Work may wait for less than a millisecond before it counts as overload.

    Every turn of a loop takes as long, so callers would be turned away from an idle service.
    """
    if duration(facts.policy.overload.wait) < MILLISECOND:
        yield Found(("overload", "wait"), "is less than a millisecond", 'Write "25ms"')


@rule("GP162", "warning", bad='[overload]\nwait = "2s"', good='[overload]\nwait = "25ms"')
def _long_wait(facts: Facts) -> Iterator[Found]:
    """Work may wait for more than a second before it counts as overload.

    By then callers have given up, and what they are answered is thrown away.
    """
    if duration(facts.policy.overload.wait) > SECOND:
        yield Found(("overload", "wait"), "is longer than callers wait", 'Write "25ms"')


@rule("GP192", "error", bad='[abuse]\nhalf_life = "0s"', good='[abuse]\nhalf_life = "10m"')
def _no_time(facts: Facts) -> Iterator[Found]:
    """Points or blocks of abusers last no time at all.

    Nothing would ever add up, and nobody be shut out.
    """
    abuse = facts.policy.abuse
    for name in ("half_life", "block", "longest", "forget"):
        if abuse is not None and not duration(getattr(abuse, name)):
            yield Found(("abuse", name), "is no time at all", "Write how long it is, or remove it for the default")


@rule("GP193", "error", bad='[abuse]\nallow = ["0.0.0.0/0"]', good='[abuse]\nallow = ["192.0.2.0/24"]')
def _everybody(facts: Facts) -> Iterator[Found]:
    """Every address is allowed or denied.

    Nobody could be shut out any more, or nobody served.
    """
    abuse = facts.policy.abuse
    for name in ("allow", "deny"):
        for number, text in enumerate(getattr(abuse, name, ())):
            if not extent(text)[1]:
                yield Found(("abuse", name, number), "is every address there is", "List the networks that are meant")
