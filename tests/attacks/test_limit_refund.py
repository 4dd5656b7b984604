"""Attack: name a cost that gives quota back, or one that wears the victim's down."""

from __future__ import annotations

import pytest

from garrison.errors import UsageError
from garrison.limits import NEVER, Ask, parse
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock

LIMITS = ("5/h", "at most 5 in 1h", "at most 99 in 1h", "5 per calendar day", "5 at once")


@pytest.mark.parametrize("text", LIMITS)
def test_a_negative_cost_refunds_nothing(text: str) -> None:
    """Alone and hidden among others."""
    store, limit = MemoryCounters(ManualClock()), parse(text)
    store.take_now([Ask("s", limit, limit.count)])

    for asks in ([Ask("s", limit, -5)], [Ask("t", limit), Ask("s", limit, -5)]):
        with pytest.raises(UsageError):
            store.take_now(asks)

    assert not store.take_now([Ask("s", limit)])[0].allowed


@pytest.mark.parametrize("text", LIMITS)
def test_a_huge_cost_is_refused_and_charges_nothing(text: str) -> None:
    """Elsewhere it is denied and counted, and then everybody behind the same counter waits."""
    store, limit = MemoryCounters(ManualClock()), parse(text)

    for cost in (limit.count + 1, 10**6, 10**30):
        assert store.take_now([Ask("s", limit, cost)])[0].retry_after == NEVER

    assert store.take_now([Ask("s", limit, limit.count)])[0].allowed
