"""The script on the server says bit for bit what the algorithms of `garrison.limits` say."""

from __future__ import annotations

from itertools import count
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.guard.drive import drive
from garrison.limits import Ask, Limit, parse
from garrison.limits.limit import MOST
from garrison.model.units import DAY
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.recorded import RecordCounters
from garrison.stores.redis.counters import Driven, RedisCounters
from garrison.stores.redis.script import MOST_DEBT, fits
from garrison.testing import ManualClock
from tests.stores.redis.server import KINDS, socket

LIMITS = tuple(
    map(
        parse,
        (
            *("5/s", "7/s burst 3", "3/7us burst 900", "1000003/7d burst 2 as a", "11/13m as a", "999999937/s as a"),
            *("at most 3 in 1s", "at most 64 in 1s", "at most 70 in 1s", "at most 900 in 7us", "at most 2 in 7us"),
            *("at most 9 in 1m as b", "at most 99 in 1h as b", "at most 80 in 3us as b observe", "at most 0 in 1s"),
            *("3 per calendar month", "8 per calendar hour as c", "2 per calendar day as c", "7 per calendar 3us as c"),
            *("3 at once for 2s", "2 at once for 2s", "5 at once for 7us as d observe", "1 at once for 1d as d"),
        ),
    )
)
ASKS = st.builds(
    Ask,
    st.sampled_from("st"),
    st.sampled_from(LIMITS),
    st.one_of(st.integers(0, 4), st.sampled_from([70, MOST, 10**30])),
)
WAITS = st.one_of(
    st.integers(0, 10),
    st.integers(0, 2_000_000),
    st.integers(0, 40 * DAY),
    st.sampled_from([-1, -(10**6), -DAY, -40 * DAY]),
)
PLAYS = st.tuples(WAITS, st.sampled_from(["take", "take", "take", "peek"]), st.lists(ASKS, min_size=1, max_size=4))


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(PLAYS, max_size=25))
def test_every_history_gets_the_verdicts_of_the_core(kind: str, history: list[tuple[int, str, list[Ask]]]) -> None:
    """Any asks, any costs, any steps of the clock, limits that change under a counter."""
    clock = ManualClock()
    clock.jump(500 * DAY)
    leases, others = count(1), count(1)
    # Neither side forgets: what outlives its limit because another one reads it must be read alike.
    core = RecordCounters(MemoryRecords(ManualClock(), b"k" * 32).driven(), clock, lambda _: next(leases).to_bytes(8))
    link = Driven(deadline=10, instant=clock.wall, unix_socket_path=socket(kind))
    server = RedisCounters(link, token_bytes(32), lambda _: next(others).to_bytes(8))
    try:
        for wait, what, asks in history:
            clock.jump(wait)
            said = drive(getattr(server, what)(asks))
            wanted = drive(getattr(core, what)(asks))
            assert [verdict[:4] for verdict in said] == [verdict[:4] for verdict in wanted]
            assert [verdict.lease > 0 for verdict in said] == [verdict.lease > 0 for verdict in wanted]
    finally:
        link.close()


def largest(limit: Limit) -> int:
    """Largest whole number that the script computes for a rate that fits."""
    debt = 2 * limit.full + 2 * limit.unit
    instant = 4_102_444_800_000_000 + limit.drain  # the end of the century
    return max(debt, instant)


@given(st.integers(1, MOST), st.integers(1, 366 * DAY), st.integers(1, MOST))
def test_whatever_fits_stays_where_doubles_are_exact(number: int, window: int, burst: int) -> None:
    """And the largest that fits comes close to the bound."""
    limit = Limit(count=number, window=window, burst=burst)
    assert fits(limit) is (limit.full + limit.unit <= MOST_DEBT)
    if fits(limit):
        assert largest(limit) < 2**53


def test_a_rate_that_does_not_fit_is_refused() -> None:
    """Rather than counted wrongly."""
    counters = RedisCounters(Driven(unix_socket_path=socket()), b"k", token_bytes)
    with pytest.raises(UsageError, match="rounder count"):
        drive(counters.take([Ask("s", parse("1000003/7d"))]))
