"""Attack: spend the limit at the end of one window and again at the beginning of the next."""

from __future__ import annotations

import pytest

from garrison.limits import Ask, Limit, parse
from garrison.model.units import MINUTE, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock


@pytest.mark.parametrize("text", ["at most 50 in 1m", "at most 100 in 1m"])
def test_no_minute_ever_holds_more_than_the_limit(text: str) -> None:
    """Wherever the edges of a window may be thought to lie, to the microsecond."""
    limit = parse(text)
    for offset in range(0, MINUTE, 7 * SECOND + 1):
        for early in (1, limit.slice, SECOND, 10 * SECOND):
            pauses = (0, MINUTE - early, early - 1, 1, early, MINUTE - 1, 1)
            passed = bursts(limit, 10**12 + offset, pauses)

            assert max(sum(start <= at < start + MINUTE for at in passed) for start in set(passed)) == limit.count


def bursts(limit: Limit, begin: int, pauses: tuple[int, ...]) -> list[int]:
    """Ask twice as often as there is, after each pause; gives when something passed."""
    clock = ManualClock(monotonic=begin)
    store, passed = MemoryCounters(clock), list[int]()
    for pause in pauses:
        clock.advance(pause)
        for _ in range(2 * limit.count):
            if store.take_now([Ask("attacker", limit)])[0].allowed:
                passed.append(clock.monotonic())
    return passed
