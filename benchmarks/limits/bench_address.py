"""What does it cost to know who asks, and to tell them where they stand?

Rival for the walk: the same walk over four hops and five networks with `ipaddress`, as the documentation of most
frameworks shows it. Rival for the fields: `limits` has none, so it is the decision itself that they are held against.
Not measured: addresses never seen before.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from benchmarks.figure import Figure, compare, figure
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.limits.headers import limit_headers
from garrison.model.net import Networks, address_subject, client_address
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

__all__ = ["figures"]

_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8", "2001:db8::/32")
_LINE = "198.51.100.1, 203.0.113.7, 10.0.0.3, 192.168.7.7"


def figures() -> list[Figure]:
    """Measure the walk, and the fields."""
    trusted = Networks(_NETWORKS)
    line = _LINE.encode("ascii")
    networks = [ip_network(text) for text in _NETWORKS]

    def ours() -> object:
        return address_subject(client_address("10.0.0.1", [line], trusted, "x-forwarded-for").address)

    def plain() -> object:
        hops = [*map(str.strip, _LINE.split(",")), "10.0.0.1"]
        for hop in reversed(hops):
            address = ip_address(hop)
            if not any(address in network for network in networks):
                return str(address)
        return hops[0]

    counters = MemoryCounters(SystemClock())
    asks = [Ask("rule|203.0.113.7", parse("1000/s burst 100000"))]
    verdicts = counters.take_now(asks)
    return [
        figure("client address behind four hops, against ipaddress", *compare(ours, plain), bar=1 / 4),
        figure(
            "RateLimit fields of one limit, against the decision",
            *compare(lambda: limit_headers(asks, verdicts), lambda: drive(counters.take(asks))),
            bar=1.5,
        ),
    ]
