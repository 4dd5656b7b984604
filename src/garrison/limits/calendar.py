"""Calendar window: so many per hour, day or month of UTC, all of them back when the next one begins.

For quotas that people read on a calendar and in contracts. It is no protection against a burst: whoever
spends at the end of one period and at the beginning of the next has twice the count within a moment.

This is the one algorithm that takes wall time, so that its periods are everybody's.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from garrison.limits.limit import MONTH, NEVER, Verdict
from garrison.model.units import DAY

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["period_end", "spend"]

_BITS: Final = 54
_MASK: Final = (1 << _BITS) - 1
_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def spend(state: int | None, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[int | None, Verdict]:
    """Spend `cost` requests, or nothing.

    Args:
        state: What the last call gave; None for a subject never seen.
        now: Microseconds since 1970 UTC.
        limit: The limit to hold.
        cost: Requests to spend.
        lease: Not used by this algorithm.

    Returns:
        The state to keep, None to keep the old one; and the verdict.
    """
    end = period_end(now, limit.window)
    used, moved = 0, False
    if state is not None and state & _MASK > now:
        # Also when the clock stepped back into an earlier period: what was spent stays spent, until this one ends.
        used, moved = state >> _BITS, state & _MASK > end
    if used + cost <= limit.count:
        reset = end - now if used + cost else 0
        return (used + cost) << _BITS | end, Verdict(True, limit.count - used - cost, 0, reset)
    reset = end - now if used and limit.count else 0
    retry = end - now if cost <= limit.count else NEVER
    kept = used << _BITS | end if moved else None
    return kept, Verdict(False, max(limit.count - used, 0), retry, reset)


def period_end(now: int, window: int) -> int:
    """Tell when the period ends that an instant falls into, in wall microseconds.

    Args:
        now: Wall microseconds.
        window: Length of a period, counted from 1970; `MONTH` for the months of UTC.
    """
    return _month_end(now // DAY) if window == MONTH else (now // window + 1) * window


@lru_cache(maxsize=8)
def _month_end(day: int) -> int:
    """Find the first instant of the month after a day that is counted from 1970."""
    year = 1970 + day * 400 // 146_097
    # The estimate by the mean length of a year is a day off at some turns of a year.
    year += (day >= _new_year(year + 1)) - (day < _new_year(year))
    is_leap = _new_year(year + 1) - _new_year(year) == 366
    ends = accumulate(length + (is_leap and length == 28) for length in _MONTHS)
    return next(end for end in (_new_year(year) + days for days in ends) if end > day) * DAY


def _new_year(year: int) -> int:
    """Count the days from 1970 to the first of January."""
    past = year - 1
    return 365 * (year - 1970) + past // 4 - past // 100 + past // 400 - 477
