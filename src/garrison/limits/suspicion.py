"""Suspicion: what a subject has done wrong of late, fading; and how long it is shut out for it.

Two whole numbers for each subject, and no timer. All arithmetic is on integers, so that two processes with the same
history say the same. Fading halves exactly at each half-life and runs straight between two of them: never below the
exponential it stands for, and at most 6.2 % above it.

A block lasts longer each time, up to a bound; the number of times fades as well, so that an address that was somebody
else's last month begins anew.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["JITTER", "UNIT", "Growth", "Score", "block_time", "faded", "raised"]

UNIT: Final = 1_000_000
"""Parts of one point: fading loses none of a small weight."""

JITTER: Final = 20
"""Percent by which a block may be shorter or longer, so that many of one moment do not end in one moment."""


class Score(NamedTuple):
    """What a subject has gathered, as of an instant."""

    parts: int
    """Points times `UNIT`."""

    at: int
    """Microseconds."""


class Growth(NamedTuple):
    """How long blocks last; durations in microseconds."""

    first: int
    longest: int
    forget: int
    """In which time the number of former blocks halves."""


def faded(parts: int, passed: int, half_life: int) -> int:
    """Let time pass over a number of parts.

    Args:
        parts: What there was.
        passed: Microseconds since; less than nothing counts as nothing.
        half_life: Microseconds in which half of it fades.
    """
    whole, rest = divmod(max(passed, 0), half_life)
    halved = parts >> min(whole, parts.bit_length())
    return halved - halved * rest // (2 * half_life)


def raised(score: Score | None, now: int, weight: int, half_life: int) -> Score:
    """Add points to what is left.

    Args:
        score: What the last call gave; None for a subject never seen.
        now: Microseconds; a clock that stepped back lets nothing fade.
        weight: Points.
        half_life: Microseconds.
    """
    left = faded(score.parts, now - score.at, half_life) if score is not None else 0
    return Score(left + weight * UNIT, now)


def block_time(former: int, growth: Growth, draw: int) -> int:
    """Tell how long a block lasts.

    Args:
        former: How many blocks there were before, times `UNIT`, faded.
        growth: The bounds.
        draw: A random number from 0 to 2**32 - 1.

    Returns:
        Microseconds: `first` doubled for each former block, rounded, within a fifth, at most `longest`.
    """
    doublings = min((former + UNIT // 2) // UNIT, 64)
    length = min(growth.first << doublings, growth.longest)
    spread = length * JITTER // 100
    return min(length - spread + 2 * spread * draw // (2**32 - 1), growth.longest)
