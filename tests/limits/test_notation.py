"""Limits are written one way: what is read is written back, and everything else is refused with an example."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.limits import Limit, parse, text
from garrison.limits.limit import ALGORITHMS, LONGEST_WINDOW, MONTH, MOST, MOST_AT_ONCE, MOST_LOGGED, PARTIES
from garrison.model.units import DAY, HOUR, MINUTE, SECOND

NAMES = st.text("azAZ09_.:/-", max_size=64)
WINDOWS = st.one_of(
    st.integers(1, LONGEST_WINDOW), st.sampled_from((1, SECOND, MINUTE, 5 * MINUTE, HOUR, DAY, MONTH, LONGEST_WINDOW))
)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    algorithm = draw(st.sampled_from(ALGORITHMS))
    most = {"log": MOST_LOGGED, "concurrency": MOST_AT_ONCE}.get(algorithm, MOST)
    count = draw(st.integers(MOST_LOGGED + 1 if algorithm == "window" else 0, most))
    facts: dict[str, Any] = {"per": draw(st.sampled_from(PARTIES)), "name": draw(NAMES)}
    if algorithm == "rate" and count:
        facts["burst"] = draw(st.one_of(st.none(), st.integers(1, MOST)))
    facts["mode"] = draw(st.sampled_from(("enforce", "observe")))
    return Limit(algorithm=algorithm, count=count, window=draw(WINDOWS), **facts)


@given(limits())
def test_what_is_written_is_read_back(limit: Limit) -> None:
    """The policy file and the object in memory never differ."""
    assert parse(text(limit)) == limit


@given(st.text(max_size=60) | st.from_regex(r"\A[0-9a-z/ ]{0,40}\Z"))
def test_any_text_is_a_limit_or_a_usage_error(notation: str) -> None:
    """No other error escapes, and what is read is written in one way."""
    try:
        limit = parse(notation)
    except UsageError:
        return
    assert parse(text(limit)) == limit


@pytest.mark.parametrize(
    ("notation", "limit"),
    [
        ("50/s burst 500 per principal", Limit(count=50, window=SECOND, burst=500, per="principal")),
        ("5/15m", Limit(count=5, window=15 * MINUTE)),
        ("5/1h30m", Limit(count=5, window=90 * MINUTE)),
        ("  7/d   per   key ", Limit(count=7, window=DAY, per="key")),
        ("at most 64 in 1h", Limit(algorithm="log", count=64, window=HOUR)),
        ("at most 65 in 1h", Limit(algorithm="window", count=65, window=HOUR)),
        ("9 per calendar minute", Limit(algorithm="calendar", count=9, window=MINUTE)),
        ("9 per calendar hour", Limit(algorithm="calendar", count=9, window=HOUR)),
        ("9 per calendar day per tenant", Limit(algorithm="calendar", count=9, window=DAY, per="tenant")),
        ("9 per calendar month", Limit(algorithm="calendar", count=9, window=MONTH)),
        ("9 per calendar 15m", Limit(algorithm="calendar", count=9, window=15 * MINUTE)),
        ("4 at once", Limit(algorithm="concurrency", count=4, window=5 * MINUTE)),
        ("4 at once for 30s per global", Limit(algorithm="concurrency", count=4, window=30 * SECOND, per="global")),
        ("1/s per key as a/b observe", Limit(count=1, window=SECOND, per="key", name="a/b", mode="observe")),
    ],
)
def test_each_form_means_one_limit(notation: str, limit: Limit) -> None:
    """The examples of the documentation."""
    assert parse(notation) == limit


@pytest.mark.parametrize(
    "notation",
    [
        "",
        "5",
        "5/",
        "/s",
        "5/0s",
        "5/-1s",
        "5/x",
        "5 /s",
        "5/ s",
        "5/s/s",
        "-5/s",
        "+5/s",
        "5.0/s",
        "٥/s",
        "²/s",
        "1e3/s",
        "05/s per",
        "5/s burst",
        "5/s burst 0",
        "5/s burst x",
        "5/s per nobody",
        "5/s as",
        "5/s as a b",
        "5/s observe per key",
        "5/s per key burst 9",
        "5/s 6/s",
        "5/400d",
        "12345678901/s",
        "1000000001/s",
        "at most",
        "at most 5",
        "at most 5 in",
        "at most 5 per 1h",
        "at least 5 in 1h",
        "at most 5/s",
        "at most 5 in 1h burst 9",
        "5 per calendar",
        "5 per day",
        "5 per calendar year",
        "5 per calendar month burst 9",
        "5 at",
        "5 at last",
        "5 at once for",
        "5 at once for ever",
        "10001 at once",
        "5/s\tper key",
        "5/s\n",
        "5/s " + " " * 300,
    ],
)
def test_anything_else_is_refused_with_an_example(notation: str) -> None:
    """Two readings of one limit would be two limits."""
    with pytest.raises(UsageError, match=r"is not a limit: .*Write "):
        parse(notation)


def test_leading_zeros_are_read_as_the_number_they_are() -> None:
    """Nothing here is octal."""
    assert parse("010/s") == parse("10/s")


def test_equal_texts_give_the_same_limit() -> None:
    """So that a limit named on many routes is compiled once."""
    assert parse("5/s per key") is parse("5/s per key")
