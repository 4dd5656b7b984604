"""Calendar limits follow UTC, whatever the month, and no clock gives a period twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import NEVER, Verdict, parse
from garrison.limits.calendar import period_end
from garrison.limits.limit import MONTH
from garrison.model.units import DAY, HOUR, MINUTE
from tests.limits.played import Counter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(year: int, month: int, day: int = 1, hour: int = 0) -> int:
    return (datetime(year, month, day, hour, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@given(st.integers(-70 * 366, 430 * 366), st.integers(0, DAY - 1))
def test_a_month_ends_where_the_calendar_says(day: int, within: int) -> None:
    """Leap years, centuries and all."""
    following = ((EPOCH + timedelta(days=day)).replace(day=1) + timedelta(days=32)).replace(day=1)

    assert period_end(day * DAY + within, MONTH) == micros(following.year, following.month)


@pytest.mark.parametrize(
    ("window", "end"),
    [
        (MINUTE, micros(2028, 2, 28, 23) + MINUTE),
        (HOUR, micros(2028, 2, 29)),
        (DAY, micros(2028, 2, 29)),
        (MONTH, micros(2028, 3, 1)),
        (8 * HOUR, micros(2028, 2, 29)),
    ],
)
def test_each_period_has_its_end(window: int, end: int) -> None:
    """An instant is in the period that begins with it."""
    begin = micros(2028, 2, 28, 23)

    assert period_end(begin, window) == end
    assert period_end(end - 1, window) == end
    assert period_end(end, window) > end


def test_all_of_it_is_back_when_the_next_period_begins() -> None:
    """And not a microsecond earlier."""
    counter = Counter(parse("2 per calendar month"), now=micros(2027, 2, 1) - 1)

    assert counter.spend(2) == Verdict(True, 0, 0, 1)
    assert counter.spend() == Verdict(False, 0, 1, 1)
    assert counter.spend(3) == Verdict(False, 0, NEVER, 1)
    counter.now += 1
    assert counter.spend() == Verdict(True, 1, 0, 28 * DAY)
    assert counter.look() == Verdict(True, 0, 0, 28 * DAY)
    assert counter.spend(0) == Verdict(True, 1, 0, 28 * DAY)


def test_a_clock_set_back_into_the_last_period_finds_nothing_new_there() -> None:
    """What was spent counts in the earlier period too, and only until that one ends."""
    counter = Counter(parse("2 per calendar day"), now=micros(2027, 6, 10))
    counter.spend(2)
    counter.now = micros(2027, 6, 8, 12)

    assert counter.spend() == Verdict(False, 0, 12 * HOUR, 12 * HOUR)
    counter.now += 12 * HOUR
    assert counter.spend().allowed


def test_a_limit_that_becomes_one_of_another_period_keeps_what_was_spent() -> None:
    """Until the period ends in which it was."""
    counter = Counter(parse("5 per calendar hour as a"), now=micros(2027, 6, 10, 12))
    counter.spend(5)
    counter.limit = parse("9 per calendar month as a")

    assert counter.spend(0).remaining == 4
    counter.limit = parse("0 per calendar month as a")
    assert counter.spend() == Verdict(False, 0, NEVER, 0)
