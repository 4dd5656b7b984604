"""A limit for one of several processes that cannot count together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from garrison.limits.limit import LONGEST_WINDOW

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["share"]


@lru_cache(maxsize=1024)
def share(limit: Limit, processes: int) -> Limit:
    """Give each process its part, so that all of them together pass no more than the limit.

    A part of less than one is nothing; a policy that needs it is refused.

    Args:
        limit: The whole.
        processes: Most processes that count.
    """
    count = limit.count // processes
    if limit.algorithm != "rate":
        return limit.but(count=count)
    burst = limit.burst // processes
    # Slower rather than fewer, where a window can be that long: a part of 5/m for 8 processes is 5/8m.
    window = limit.window * processes
    if burst and window <= LONGEST_WINDOW:
        return limit.but(window=window, burst=burst)
    return limit.but(count=count, burst=burst) if burst and count else limit.but(count=0, burst=0)
