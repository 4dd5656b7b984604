"""What does one decision cost, with everything an answer tells of it? Rival: the fixed window of `limits`, in memory.

Ours is one `take` of the memory store, driven as WSGI drives it: verdict, remaining, retry and reset, for one limit and
for three that are spent together or not at all. The rival hits, then asks for the window's numbers, once for each
limit, as the middleware built on it do; its limits are not atomic. Both are told rule and address. Not measured: the
network, threads that contend, and making the key.
"""

from __future__ import annotations

from limits import parse as rival_parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from benchmarks.figure import Figure, Work, compare, figure, medians
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

__all__ = ["figures"]

_OURS = ("1000/s burst 100000", "1000/m burst 100000", "1000/h burst 100000")
_RIVALS = ("100000000/second", "100000000/minute", "100000000/hour")
_RULE, _ADDRESS = "GET /notes/{id}", "203.0.113.7"


def figures() -> list[Figure]:
    """Measure one limit, three limits, and a denial."""
    return [
        figure("one limit, driven, against hit + window stats", *compare(_ours(1), _rivals(1)), bar=1 / 4),
        figure("three atomic limits, driven, against three of those", *compare(_ours(3), _rivals(3)), bar=1 / 6),
        figure("a denial, driven, against a denied hit + window stats", *medians(_denied(), _rivals_denied()), bar=1),
    ]


def _ours(number: int) -> Work:
    counters = MemoryCounters(SystemClock())
    asks = [Ask(f"{_RULE}|{_ADDRESS}", parse(text)) for text in _OURS[:number]]
    return lambda: drive(counters.take(asks))


def _rivals(number: int) -> Work:
    limiter = FixedWindowRateLimiter(MemoryStorage())
    items = [rival_parse(text) for text in _RIVALS[:number]]

    def work() -> None:
        for item in items:
            limiter.hit(item, _ADDRESS, _RULE)
            limiter.get_window_stats(item, _ADDRESS, _RULE)

    return work


def _denied() -> Work:
    counters = MemoryCounters(SystemClock())
    asks = [Ask(f"{_RULE}|{_ADDRESS}", parse("1/d"))]
    counters.take_now(asks)
    return lambda: drive(counters.take(asks))


def _rivals_denied() -> Work:
    limiter, item = FixedWindowRateLimiter(MemoryStorage()), rival_parse("1/day")
    limiter.hit(item, _ADDRESS, _RULE)

    def work() -> None:
        limiter.hit(item, _ADDRESS, _RULE)
        limiter.get_window_stats(item, _ADDRESS, _RULE)

    return work
