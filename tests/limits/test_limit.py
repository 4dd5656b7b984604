"""A limit is checked when it is made, equal by value, and frozen."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from garrison.errors import UsageError
from garrison.limits import Ask, Limit, parse
from garrison.limits.limit import LONGEST_WINDOW, MOST, MOST_AT_ONCE, MOST_LOGGED
from garrison.model.units import MINUTE, SECOND


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": -1},
        {"count": True},
        {"count": 1.0},
        {"count": "1"},
        {"count": MOST + 1},
        {"window": 0},
        {"window": -1},
        {"window": LONGEST_WINDOW + 1},
        {"window": 1.5},
        {"burst": -1},
        {"burst": 0},
        {"burst": True},
        {"burst": MOST + 1},
        {"count": 0, "burst": 1},
        {"algorithm": "leaky"},
        {"algorithm": "window", "burst": 6},
        {"algorithm": "log", "count": MOST_LOGGED + 1},
        {"algorithm": "concurrency", "count": MOST_AT_ONCE + 1},
        {"per": "planet"},
        {"mode": "off"},
        {"name": "two words"},
        {"name": 'quote"'},
        {"name": "é"},
        {"name": "n" * 65},
    ],
)
def test_numbers_out_of_bounds_and_unknown_words_make_no_limit(wrong: dict[str, Any]) -> None:
    """What cannot be held exactly is refused when it is written, not when it is spent."""
    facts: dict[str, Any] = {"count": 5, "window": SECOND, **wrong}

    with pytest.raises(UsageError):
        Limit(**facts)


@pytest.mark.parametrize(
    "right",
    [
        {"count": MOST, "window": 1},
        {"count": 0, "window": LONGEST_WINDOW},
        {"count": MOST_LOGGED, "algorithm": "log"},
        {"count": MOST_AT_ONCE, "algorithm": "concurrency"},
        {"name": "n" * 64},
        {"name": "AZaz09_.:/-"},
    ],
)
def test_the_bounds_themselves_are_inside(right: dict[str, Any]) -> None:
    """The other side of the bounds above."""
    facts: dict[str, Any] = {"count": 5, "window": SECOND, **right}
    limit = Limit(**facts)

    assert {name: getattr(limit, name) for name in facts} == facts


def test_equal_limits_are_one_key_of_a_dictionary() -> None:
    """Every field counts, and nothing else."""
    limits = [
        parse(text)
        for text in ("5/s", "5/m", "6/s", "5/s burst 9", "5/s per key", "5/s as a", "5/s observe", "at most 5 in 1s")
    ]

    assert len(dict.fromkeys(limits)) == len(limits)
    assert Limit(count=5, window=SECOND) == limits[0]
    assert hash(Limit(count=5, window=SECOND)) == hash(limits[0])
    assert limits[0] != "5/s"


def test_a_limit_cannot_be_changed() -> None:
    """Stores and plans share it; `but` makes another."""
    limit = parse("5/s burst 9 per key as mine")

    with pytest.raises(AttributeError):
        limit.count = 6
    with pytest.raises(AttributeError):
        del limit.count
    assert limit.but(mode="observe") == parse("5/s burst 9 per key as mine observe")
    assert limit.but(burst=5) == parse("5/s per key as mine")
    assert parse("5/s").but(count=7) == parse("7/s")


def test_a_limit_survives_a_copy_and_a_pickle() -> None:
    """Policies travel between processes."""
    limit = parse("7/s burst 3 per tenant as x observe")

    assert copy.deepcopy(limit) == limit
    assert pickle.loads(pickle.dumps(limit)) == limit
    assert repr(limit) == "parse('7/s burst 3 per tenant as x observe')"


def test_a_counter_is_told_apart_by_window_or_name_and_not_by_count() -> None:
    """So that a limit that was raised or lowered finds what was spent."""
    assert parse("5/s").key == parse("50/s burst 9").key
    assert parse("5/s").key != parse("5/m").key
    assert parse("5/s as a").key == parse("5/m as a").key
    assert parse("at most 64 in 1m").key == parse("at most 65 in 1m").key
    assert parse("5/m").key != parse("at most 5 in 1m").key
    assert parse("5/m").key != parse("5 per calendar minute").key


def test_a_counter_lives_until_it_is_as_good_as_new() -> None:
    """Any shorter, and dropping it would forget; much longer, and a flood would fill the memory."""
    assert parse("50/s burst 500").drain == 10 * SECOND
    assert parse("7/s burst 3").drain == 428_572
    assert parse("0/s").drain == 0
    assert parse("at most 5 in 1m").drain == MINUTE
    assert parse("at most 99 in 16s").drain == 17 * SECOND
    assert parse("4 at once for 3s").drain == 3 * SECOND


def test_an_ask_is_for_one_request_and_holds_nothing() -> None:
    """Unless it says otherwise."""
    assert Ask("s", parse("5/s"))[2:] == (1, 0)
