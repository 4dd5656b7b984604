"""A rate passes its burst and what came back, to the last microsecond, and nothing more."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import NEVER, Limit, Verdict, parse
from garrison.limits.rate import carry, spend
from garrison.model.units import DAY, MINUTE, SECOND
from tests.limits.played import NOON, Counter, histories

RATES = st.builds(Limit, count=st.integers(1, 50), window=st.integers(1, 10**7), burst=st.integers(1, 40))


def model(limit: Limit, steps: list[tuple[int, int]]) -> list[bool]:
    """A bucket of fractions, as the text books have it."""
    level, said = Fraction(limit.burst), []
    for pause, cost in steps:
        level = min(level + Fraction(pause * limit.count, limit.window), Fraction(limit.burst))
        said.append(level >= cost)
        level -= cost if level >= cost else 0
    return said


@given(RATES, st.data())
def test_it_decides_like_a_bucket_of_exact_fractions(limit: Limit, data: st.DataObject) -> None:
    """So it neither grants nor loses anything by rounding."""
    steps = data.draw(histories(limit.window))
    counter, said = Counter(limit), []

    for pause, cost in steps:
        counter.now += pause
        said.append(counter.spend(cost).allowed)

    assert said == model(limit, steps)


@given(RATES, st.data())
def test_in_any_stretch_it_passes_at_most_burst_and_what_came_back(limit: Limit, data: st.DataObject) -> None:
    """The promise of the module."""
    passed = Counter(limit).play(data.draw(histories(limit.window)))

    for number, (start, _) in enumerate(passed):
        total = 0
        for at, cost in passed[number:]:
            total += cost
            assert (total - limit.burst) * limit.window <= (at - start) * limit.count


@given(RATES, st.data(), st.integers(1, 40))
def test_its_waits_are_exact(limit: Limit, data: st.DataObject, cost: int) -> None:
    """Sufficient and tight, for the retry and for the next unit."""
    counter = Counter(limit)
    counter.play(data.draw(histories(limit.window)))
    verdict = counter.look(cost)
    start = counter.now

    if cost > limit.burst:
        assert (verdict.allowed, verdict.retry_after) == (False, NEVER)
    elif not verdict.allowed:
        counter.now = start + verdict.retry_after - 1
        assert not counter.look(cost).allowed
        counter.now += 1
        assert counter.look(cost).allowed
    counter.now = start
    idle = counter.look(0)
    if idle.remaining < limit.burst:
        counter.now = start + idle.reset_after
        assert counter.look(0).remaining > idle.remaining
        counter.now -= 1
        assert counter.look(0).remaining == idle.remaining


@given(RATES, RATES, st.data())
def test_a_changed_rate_owes_as_many_requests_as_before(before: Limit, after: Limit, data: st.DataObject) -> None:
    """Rounded up by less than one unit, never down."""
    counter = Counter(before)
    counter.play(data.draw(histories(before.window)))
    state = counter.state
    assert state is None or isinstance(state, int)

    if state is not None:
        owed = Fraction(max(state - counter.now * before.refill, 0), before.unit)
        carried = Fraction(carry(state, before, after, counter.now) - counter.now * after.refill, after.unit)
        assert owed <= carried < owed + Fraction(1, after.unit)


@given(RATES, st.data(), st.integers(0, 400 * DAY))
def test_a_clock_set_back_denies_no_longer_than_a_full_burst(limit: Limit, data: st.DataObject, back: int) -> None:
    """And grants nothing: what was owed stays owed."""
    counter = Counter(limit)
    counter.play(data.draw(histories(limit.window)))
    before = counter.look(0).remaining
    counter.now -= back

    assert counter.look(0).remaining <= before
    counter.spend()
    counter.now += limit.drain
    assert counter.look(limit.burst).allowed


def test_it_says_what_the_examples_of_the_documentation_say() -> None:
    """100 a minute, 20 at once."""
    counter = Counter(parse("100/m burst 20"))

    assert counter.spend(20) == Verdict(True, 0, 0, MINUTE // 100)
    assert counter.spend() == Verdict(False, 0, MINUTE // 100, MINUTE // 100)
    assert counter.spend(21) == Verdict(False, 0, NEVER, MINUTE // 100)
    counter.now += MINUTE // 100 * 3
    assert counter.spend() == Verdict(True, 2, 0, MINUTE // 100)


def test_an_odd_rate_loses_nothing_in_a_day() -> None:
    """Seven a second is one in 142,857.14… microseconds; with that rounded up, three a day would go missing."""
    counter, passed = Counter(parse("7/s burst 2"), now=0), 0

    while counter.now < 3_600 * SECOND:
        verdict = counter.spend()
        passed += verdict.allowed
        counter.now += verdict.retry_after

    assert passed == 2 + 7 * 3_600 - 1
    counter.now = DAY
    assert counter.spend(2).allowed


def test_a_fresh_subject_begins_with_a_full_burst() -> None:
    """Zero and None are both a subject never seen."""
    limit = parse("1/s burst 9")

    assert spend(None, NOON, limit, 9) == spend(0, NOON, limit, 9)
    assert spend(None, NOON, limit, 9)[1].allowed


@pytest.mark.parametrize("cost", [1, 5])
def test_a_rate_of_nothing_denies_for_ever(cost: int) -> None:
    """Without dividing by it."""
    assert Counter(parse("0/s")).spend(cost) == Verdict(False, 0, NEVER, 0)
    assert Counter(parse("0/s")).spend(0) == Verdict(True, 0, 0, 0)


@given(st.integers(0, 9), st.integers(0, 3))
def test_a_rate_that_becomes_nothing_denies_all_and_may_be_looked_at(spent: int, cost: int) -> None:
    """An operator who shuts a route that way must not break it for those who owe something."""
    before, after, now = parse("9/s"), parse("0/s"), 10**15
    state, _ = spend(None, now, before, spent)

    _, verdict = spend(carry(state or 0, before, after, now), now, after, cost)

    assert verdict == Verdict(not cost, 0, NEVER if cost else 0, 0)
