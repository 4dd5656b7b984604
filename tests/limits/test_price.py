"""Load lowers what a limit gives, and never raises it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import Ask, parse
from garrison.limits.adaptive import CALM, DEAREST, price
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing import ManualClock

LIMITS = ("50/s burst 500", "at most 5 in 15m", "at most 900 in 1h", "1000 per calendar day", "40 at once", "1/h")
LOADS = st.floats(0, 3) | st.sampled_from([math.inf, -math.inf, math.nan, CALM, 1.0])


@given(st.sampled_from((*LIMITS, "0/s")), LOADS, LOADS)
def test_more_load_never_costs_less_and_something_always_passes(text: str, load: float, other: float) -> None:
    """Also by what is no number: whoever measures wrongly must not open the gate."""
    limit = parse(text)

    assert 1 <= price(limit, load) <= max(min(limit.burst, DEAREST), 1)
    if load <= other:
        assert price(limit, load) <= price(limit, other)


@pytest.mark.parametrize(
    ("load", "units"), [(0, 1), (CALM, 1), (0.85, 2), (0.9, 3), (0.95, 6), (1, 10), (9, 10), (math.nan, 10)]
)
def test_what_a_request_costs_by_load(load: float, units: int) -> None:
    assert price(parse("50/s burst 500"), load) == units


@pytest.mark.parametrize("text", LIMITS)
def test_a_load_that_comes_and_goes_gives_nobody_a_fresh_limit(text: str) -> None:
    counters, limit = MemoryCounters(ManualClock()), parse(text)
    spent = 0
    for load in (0.8, 1, 0, 1, 0.8, 0):
        while counters.take_now([Ask("s", limit, price(limit, load))])[0].allowed:
            spent += price(limit, load)
    assert spent == limit.burst
