"""How much slower is the slowest of a thousand takes of a busy key when 200,000 others are counted as well?

No rival: ours against ours with no other key. A store that walks its keys to clean up, or lets a collector walk them,
shows here. Each round times 20,000 takes one by one in both stores in turn; the 99.9th percentile of each
round counts, and the median of the rounds. The cost of the clock is in both. Not measured: the flood itself.
"""

from __future__ import annotations

from statistics import median, quantiles
from time import process_time_ns

from benchmarks.figure import Figure, figure
from garrison.limits import Ask, parse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

__all__ = ["figures"]

_LIVE = 200_000
_ROUNDS = 15
_TAKES = 20_000
_LIMIT = parse("1000/s burst 1000000")


def figures() -> list[Figure]:
    """Measure the tail."""
    empty, full = _store(0), _store(_LIVE)
    tails: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        tails[0].append(_tail(full))
        tails[1].append(_tail(empty))
    return [figure("p99.9 of a hot key, 200,000 live keys against none", *map(median, tails), bar=2)]


def _store(live: int) -> MemoryCounters:
    counters = MemoryCounters(SystemClock())
    for number in range(live):
        counters.take_now([Ask(f"rule|{number >> 16}.{number >> 8 & 255}.{number & 255}.9", _LIMIT)])
    return counters


def _tail(counters: MemoryCounters) -> float:
    """Give the 99.9th percentile of one call, in microseconds."""
    asks = [Ask("rule|203.0.113.7", _LIMIT)]
    spent = []
    for _ in range(_TAKES):
        begun = process_time_ns()
        counters.take_now(asks)
        spent.append(process_time_ns() - begun)
    return quantiles(spent, n=1000)[-1] / 1_000
