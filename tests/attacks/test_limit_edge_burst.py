"""Attack: spend the limit at the end of one window and again at the beginning of the next."""

from __future__ import annotations

import pytest

from garrison.limits import Ask, parse
from garrison.model.units import MINUTE, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock


@pytest.mark.parametrize("text", ["at most 50 in 1m", "at most 100 in 1m"])
def test_no_minute_ever_holds_more_than_the_limit(text: str) -> None:
    """Wherever the edges of a window may be thought to lie, to the microsecond."""
    limit = parse(text)
    for offset in range(0, MINUTE, 7 * SECOND + 1):
        for early in (1, limit.slice, SECOND, 10 * SECOND):
            clock = ManualClock(monotonic=10**12 + offset)
            store = MemoryCounters(clock)
            passed: list[int] = []

            def burst(limit=limit, clock=clock, store=store, passed=passed) -> None:  # type: ignore[no-untyped-def]  # binds the loop's values
                for _ in range(2 * limit.count):
                    if store.take_now([Ask("attacker", limit)])[0].allowed:
                        passed.append(clock.monotonic())

            burst()
            for pause in (MINUTE - early, early - 1, 1, early, MINUTE - 1, 1):
                clock.advance(pause)
                burst()

            assert max(sum(start <= at < start + MINUTE for at in passed) for start in set(passed)) == limit.count
