"""Log and window: never more than the count in any stretch of the window, whoever tries, and exact waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import NEVER, Limit, Verdict, parse
from garrison.limits.limit import SLICES
from garrison.limits.window import held
from garrison.model.units import DAY, MINUTE, SECOND
from tests.limits.played import NOON, Counter, histories

WINDOWS = st.one_of(st.integers(1, 40), st.integers(1, 10**7))
LOGS = st.builds(Limit, algorithm=st.just("log"), count=st.integers(1, 12), window=WINDOWS)
RINGS = st.builds(Limit, algorithm=st.just("window"), count=st.integers(1, 12), window=WINDOWS)
EITHER = st.one_of(LOGS, RINGS)


def within(passed: list[tuple[int, int]], start: int, end: int) -> int:
    return sum(cost for at, cost in passed if start <= at < end)


@given(EITHER, st.data())
def test_no_stretch_of_a_window_holds_more_than_the_count(limit: Limit, data: st.DataObject) -> None:
    """Half open: what came a whole window ago no longer counts."""
    passed = Counter(limit).play(data.draw(histories(limit.window, most=120)))

    assert all(within(passed, start, start + limit.window) <= limit.count for start, _ in passed)


@given(LOGS, st.data())
def test_a_log_denies_only_what_would_be_too_much(limit: Limit, data: st.DataObject) -> None:
    """The bound from the other side: a log that denied everything would pass the test above."""
    counter, passed = Counter(limit), list[tuple[int, int]]()

    for pause, cost in data.draw(histories(limit.window)):
        counter.now += pause
        fits = within(passed, counter.now - limit.window + 1, counter.now + 1) + cost <= limit.count
        assert counter.spend(cost).allowed == fits
        passed += [(counter.now, cost)] * fits


@given(RINGS, st.data())
def test_a_window_gives_back_a_slice_too_late_at_most(limit: Limit, data: st.DataObject) -> None:
    """The price of keeping counts instead of instants, and no more than that."""
    counter, passed = Counter(limit), list[tuple[int, int]]()
    late = limit.slice * (SLICES + 1)

    for pause, cost in data.draw(histories(limit.window)):
        counter.now += pause
        fits = within(passed, counter.now - late + 1, counter.now + 1) + cost <= limit.count
        allowed = counter.spend(cost).allowed
        assert allowed or not fits
        passed += [(counter.now, cost)] * allowed


@given(EITHER, st.data(), st.integers(1, 14))
def test_their_waits_are_exact(limit: Limit, data: st.DataObject, cost: int) -> None:
    """Sufficient and tight, for the retry and for the next unit."""
    counter = Counter(limit)
    counter.play(data.draw(histories(limit.window)))
    start, verdict, idle = counter.now, counter.look(cost), counter.look(0)

    if cost > limit.count:
        assert (verdict.allowed, verdict.retry_after) == (False, NEVER)
    elif not verdict.allowed:
        counter.now = start + verdict.retry_after - 1
        assert not counter.look(cost).allowed
        counter.now += 1
        assert counter.look(cost).allowed
    if idle.remaining < limit.count:
        counter.now = start + idle.reset_after
        assert counter.look(0).remaining > idle.remaining
        counter.now -= 1
        assert counter.look(0).remaining == idle.remaining


@given(EITHER, st.data())
def test_what_remains_can_be_spent_and_not_one_more(limit: Limit, data: st.DataObject) -> None:
    """And each that is spent is one less."""
    counter = Counter(limit)
    counter.play(data.draw(histories(limit.window)))
    remaining = counter.look(0).remaining

    assert not counter.spend(remaining + 1).allowed
    for left in reversed(range(remaining)):
        assert counter.spend().remaining == left
    assert counter.spend()[:2] == (False, 0)


@given(EITHER, EITHER, st.data())
def test_a_changed_limit_never_grants_more_than_the_new_one(before: Limit, after: Limit, data: st.DataObject) -> None:
    """Also when log becomes window or the reverse: whatever was held is held, at least until a window has passed."""
    counter = Counter(before)
    counter.play(data.draw(histories(before.window)))
    spent = before.count - counter.look(0).remaining
    counter.limit = after

    assert counter.look(0).remaining <= max(after.count - (spent if before.window <= after.window else 0), 0) or (
        after.algorithm == before.algorithm == "log"
    )
    counter.spend(after.count)
    counter.now += after.drain
    assert counter.look(after.count).allowed


@given(EITHER, st.data(), st.integers(0, 400 * DAY))
def test_a_clock_set_back_denies_no_longer_than_a_window(limit: Limit, data: st.DataObject, back: int) -> None:
    """And grants nothing."""
    counter = Counter(limit)
    counter.play(data.draw(histories(limit.window)))
    before = counter.look(0).remaining
    counter.now -= back

    assert counter.look(0).remaining <= before
    counter.spend(limit.count)
    counter.now += limit.drain
    assert counter.look(limit.count).allowed


def test_a_lowered_limit_tells_when_one_fits_again() -> None:
    """Not when the first leaves: that alone makes no room."""
    for few, many in (("at most 2 in 16s", "at most 10 in 16s"), ("at most 70 in 16s", "at most 140 in 16s")):
        counter = Counter(parse(many), now=1600 * SECOND)
        counter.play([(SECOND, counter.limit.count // 10)] * 10)
        counter.limit = parse(few)
        denied = counter.spend()
        assert (denied.allowed, denied.remaining) == (False, 0)
        assert denied.retry_after == denied.reset_after > 10 * SECOND
        counter.now += denied.reset_after
        assert counter.look().allowed


@pytest.mark.parametrize("text", ["at most 0 in 1s", "at most 64 in 1s", "at most 65 in 1s"])
def test_what_is_held_of_a_limit_that_became_nothing_says_no_time(text: str) -> None:
    """No waiting brings back what is no longer there."""
    counter = Counter(parse(text))
    counter.spend()
    counter.limit = counter.limit.but(count=0)

    assert counter.spend() == Verdict(False, 0, NEVER, 0)


def test_a_window_stays_as_small_for_a_million_as_for_one() -> None:
    """One integer of 82 bytes at most; a log keeps eight bytes each."""
    counter = Counter(parse("at most 1000000 in 1d"))
    counter.play([(DAY // 20, 58_000)] * 40)

    assert isinstance(counter.state, int)
    assert counter.state.bit_length() <= 17 * 32 + 2 * 54
    assert held(counter.state, counter.now) == 17 * 58_000
    assert held(counter.state, counter.now + 2 * DAY) == 0


def test_a_log_keeps_eight_bytes_for_each_request_that_counts() -> None:
    """And forgets the others."""
    counter = Counter(parse("at most 5 in 1m"))
    counter.play([(MINUTE // 4, 1)] * 40)

    assert isinstance(counter.state, bytes)
    assert len(counter.state) == 8 * 4


def test_twice_the_limit_around_the_edge_of_a_window_does_not_pass() -> None:
    """The attack that weighted counters let through: spend at the end of one window and at the start of the next."""
    for text in ("at most 50 in 1m", "at most 100 in 1m"):
        counter = Counter(parse(text), now=NOON // MINUTE * MINUTE + MINUTE - 1)
        count = counter.limit.count
        assert len(counter.play([(0, 1)] * count)) == count
        assert len(counter.play([(1, 1), (0, 1), (SECOND, 1), (MINUTE - SECOND - 2, 1)] + [(0, 1)] * count)) == 0
