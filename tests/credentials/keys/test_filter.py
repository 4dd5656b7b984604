"""The filter of existing ids: never denies one that exists, seldom lets an invented one through."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials.key_format import new_key_id
from garrison.credentials.keys.filter import FIRST, IDS, IdFilter


@given(st.lists(st.text(max_size=20), max_size=200))
def test_what_was_added_is_there(ids: list[str]) -> None:
    existing = IdFilter()
    for id in ids:
        existing.add(id)

    assert all(id in existing for id in ids)


def test_an_empty_filter_knows_nobody() -> None:
    assert "a" not in IdFilter()


def test_of_the_invented_at_most_two_in_a_hundred_pass() -> None:
    """Grown twice beyond the first layer; the error of each adds up."""
    draw = random.Random(9).randbytes
    existing, count = IdFilter(), 7 * FIRST * IDS
    ids = [new_key_id(draw) for _ in range(count)]
    for id in ids:
        existing.add(id)

    assert all(id in existing for id in ids)
    assert sum(new_key_id(draw) in existing for _ in range(10_000)) < 200


def test_a_layer_is_full_at_its_number_and_the_next_is_four_times_as_large() -> None:
    draw = random.Random(9).randbytes
    existing = IdFilter()

    def add(count: int) -> list[int]:
        while count:
            id = new_key_id(draw)
            count -= id not in existing
            existing.add(id)
        return [len(layer) for layer in existing._layers]

    assert add(FIRST * IDS) == [FIRST]
    assert add(1) == [4 * FIRST, FIRST]
