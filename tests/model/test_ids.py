"""Random names: the width asked for, the alphabet promised, no letter likelier than another."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from garrison.model.ids import BASE62, base62, random_id


@given(st.integers(0, 62**12 - 1))
def test_a_number_is_written_with_its_digits(number: int) -> None:
    text = base62(number, 12)

    assert len(text) == 12
    assert sum(BASE62.index(letter) * 62**place for place, letter in enumerate(reversed(text))) == number


def test_the_alphabet_is_that_of_a_double_click() -> None:
    assert BASE62.isalnum()
    assert len(set(BASE62)) == 62


@given(st.integers(1, 64), st.binary(min_size=64, max_size=64))
def test_an_id_has_the_width_asked_for(width: int, seed: bytes) -> None:
    drawn = random_id(lambda size: (seed * 2)[:size], width)

    assert len(drawn) == width
    assert set(drawn) <= set(BASE62)


def test_randomness_is_asked_for_once_and_64_bits_beyond_the_id() -> None:
    """Without the surplus the first letters of the alphabet come more often."""
    asked: list[int] = []

    def source(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    random_id(source, 12)

    assert asked == [(12 * 6 + 64) // 8]


def test_letters_come_evenly() -> None:
    """1,100 of each letter are expected; four standard deviations are 12 %."""
    steps = count()
    drawn = [random_id(lambda size: blake2b(b"%d" % next(steps), digest_size=size).digest()) for _ in range(6_200)]

    seen = Counter(letter for id_ in drawn for letter in id_[1:])

    assert len(seen) == 62
    assert max(seen.values()) < 1.12 * 1_100
    assert min(seen.values()) > 0.88 * 1_100
