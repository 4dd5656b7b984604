"""Conservative window: never more than the count in any stretch of time as long as the window.

Time is cut into slices, sixteen to a window. A slice counts in full until every request it may hold has
left the window; so nothing is estimated, the state stays as small for a million requests as for one,
and the price is that quota returns up to a sixteenth of the window late.

One integer per subject: seventeen counts, the number of the newest slice, and the length of a slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.limits.limit import NEVER, SLICES, Verdict

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["held", "spend"]

_BITS: Final = 54
_MASK: Final = (1 << _BITS) - 1
_COUNT: Final = 32
_COUNTS: Final = (1 << _COUNT * (SLICES + 1)) - 1
_ONES: Final = (1 << _COUNT) - 1
"""Also the divisor that adds the counts up: digits of base b sum to the number modulo b - 1."""


def spend(state: int | bytes | None, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[int | None, Verdict]:
    """Spend `cost` requests, or nothing.

    Args:
        state: What the last call gave, here or in `garrison.limits.log`; None for a subject never seen.
        now: Microseconds of the counter's clock.
        limit: The limit to hold.
        cost: Requests to spend.
        lease: Not used by this algorithm.

    Returns:
        The state to keep, None to keep the old one; and the verdict.
    """
    counts, moved = _counts(state, now, limit)
    total = counts % _ONES
    if total + cost <= limit.count:
        counts += cost
        kept = (counts << _BITS | now // limit.slice) << _BITS | limit.slice
        return kept, Verdict(True, limit.count - total - cost, 0, _leaves(counts, now, limit, 1))
    retry = _leaves(counts, now, limit, total + cost - limit.count) if cost <= limit.count else NEVER
    # Where the limit was lowered, more than one must leave before one fits; into a limit of nothing none ever fits.
    reset = _leaves(counts, now, limit, max(total - limit.count, 0) + 1) if limit.count else 0
    kept = (counts << _BITS | now // limit.slice) << _BITS | limit.slice
    return kept if moved else None, Verdict(False, max(limit.count - total, 0), retry, reset)


def held(state: int, now: int) -> int:
    """Count the requests that a state may still hold against somebody."""
    length, index, counts = state & _MASK, state >> _BITS & _MASK, state >> 2 * _BITS
    return _aged(counts, now // length - index) % _ONES


def _aged(counts: int, slices: int) -> int:
    """Let the newest slice become the one `slices` before it; a clock that stepped back ages nothing."""
    if slices <= 0:
        return counts
    return 0 if slices > SLICES else counts << _COUNT * slices & _COUNTS


def _counts(state: int | bytes | None, now: int, limit: Limit) -> tuple[int, bool]:
    """Bring what was kept into the shape of now, newest slice lowest; tell whether it must be kept."""
    if not state:
        return 0, False
    if isinstance(state, bytes):
        # The limit was smaller until now: all that was logged counts as if it had come just now.
        return len(state) // 8, True
    length, index, counts = state & _MASK, state >> _BITS & _MASK, state >> 2 * _BITS
    if length != limit.slice:
        return held(state, now), True
    slices = now // length - index
    return _aged(counts, slices), slices < 0


def _leaves(counts: int, now: int, limit: Limit, needed: int) -> int:
    """Tell how long until at least `needed` of the requests have left; 0 when there are none."""
    if not counts:
        return 0
    age = (counts.bit_length() - 1) // _COUNT
    freed = counts >> _COUNT * age
    while freed < needed:
        age -= 1
        freed += counts >> _COUNT * age & _ONES
    return (now // limit.slice - age + SLICES + 1) * limit.slice - now
