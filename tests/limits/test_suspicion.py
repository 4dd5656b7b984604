"""Points fade as they say, and blocks grow as they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.limits.suspicion import UNIT, Growth, Score, block_time, faded, raised
from garrison.model.units import DAY, HOUR, MINUTE, SECOND

PARTS = st.integers(0, 10**12)
TIMES = st.integers(0, 400 * DAY)
HALF = st.integers(1, 30 * DAY)
GROWTH = Growth(MINUTE, DAY, 7 * DAY)


@given(PARTS, TIMES, TIMES, HALF)
def test_points_fade_and_never_come_back(parts: int, first: int, second: int, half_life: int) -> None:
    sooner, later = sorted((first, second))

    assert 0 <= faded(parts, later, half_life) <= faded(parts, sooner, half_life) <= parts


@given(PARTS, st.integers(0, 50), HALF)
def test_each_half_life_halves(parts: int, times: int, half_life: int) -> None:
    assert faded(parts, times * half_life, half_life) == parts >> times


@given(st.integers(10**6, 10**12), st.floats(0, 8), st.integers(10**6, DAY))
def test_between_two_of_them_it_keeps_close_to_the_exponential(parts: int, lives: float, half_life: int) -> None:
    passed = round(lives * half_life)
    exact = parts * 2 ** (-passed / half_life)

    assert exact * 0.999 - 2 <= faded(parts, passed, half_life) <= exact * 1.063 + 2


@given(PARTS, st.integers(1, 10**6), HALF)
def test_a_clock_set_back_lets_nothing_fade(parts: int, back: int, half_life: int) -> None:
    assert raised(Score(parts, 10 * DAY), 10 * DAY - back, 3, half_life).parts == parts + 3 * UNIT


def test_points_add_up() -> None:
    score = raised(raised(None, 0, 100, HOUR), HOUR, 5, HOUR)

    assert score == Score(55 * UNIT, HOUR)


@given(st.integers(0, 200), st.integers(0, 2**32 - 1))
def test_a_block_doubles_within_a_fifth_up_to_the_longest(former: int, draw: int) -> None:
    usual = min(MINUTE << min(former, 64), DAY)

    assert usual * 8 // 10 <= block_time(former * UNIT, GROWTH, draw) <= min(usual * 12 // 10, DAY)


def test_blocks_of_one_moment_do_not_end_in_one_moment() -> None:
    ends = {block_time(0, GROWTH, draw) for draw in (0, 2**31, 2**32 - 1)}

    assert ends == {48 * SECOND, MINUTE, 72 * SECOND} or len(ends) == 3
