"""Exact log: never more than the count in any stretch of time as long as the window.

Keeps the instant of each request that still counts, eight bytes each, at most 64 of them; for logins,
codes, registrations. `garrison.limits.window` keeps the same promise for larger counts.
"""

from __future__ import annotations

from bisect import bisect_right
from sys import byteorder
from typing import TYPE_CHECKING

from garrison.limits.limit import NEVER, Verdict

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["spend"]


def spend(state: bytes | int | None, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[bytes | None, Verdict]:
    """Spend `cost` requests, or nothing.

    Args:
        state: What the last call gave, here or in `garrison.limits.window`; None for a subject never seen.
        now: Microseconds of the counter's clock.
        limit: The limit to hold.
        cost: Requests to spend.
        lease: Not used by this algorithm.

    Returns:
        The state to keep, None to keep the old one; and the verdict.
    """
    kept, moved = _log(state, now, limit)
    instants = memoryview(kept).cast("q")
    gone = bisect_right(instants, now - limit.window)
    held = len(instants) - gone
    if held + cost <= limit.count:
        live = kept[8 * gone :] + now.to_bytes(8, byteorder) * cost
        return live, Verdict(True, limit.count - held - cost, 0, _reset(live, now, limit))
    retry = NEVER
    if cost <= limit.count:
        # The request with this number must leave before the ask fits.
        retry = instants[len(instants) - 1 - (limit.count - cost)] + limit.window - now
    remaining = max(limit.count - held, 0)
    return kept if moved else None, Verdict(False, remaining, retry, _reset(kept[8 * gone :], now, limit))


def _log(state: bytes | int | None, now: int, limit: Limit) -> tuple[bytes, bool]:
    """Bring what was kept into the shape of a log; tell whether it changed."""
    if not state:
        return b"", False
    if isinstance(state, int):
        from garrison.limits.window import held

        # The limit was larger until now: all that counted counts as if it had come just now.
        return now.to_bytes(8, byteorder) * min(held(state, now), limit.count), True
    if int.from_bytes(state[-8:], byteorder) > now:
        # The clock stepped back. What seems to come from the future counts as now, so that it ends.
        instants = memoryview(state).cast("q")
        return b"".join(min(instant, now).to_bytes(8, byteorder) for instant in instants), True
    return state, False


def _reset(live: bytes, now: int, limit: Limit) -> int:
    """Tell when one more fits: the oldest leaves, or, where the limit was lowered, the oldest that counts."""
    oldest = max(len(live) - 8 * limit.count, 0)
    return int.from_bytes(live[oldest : oldest + 8], byteorder) + limit.window - now if len(live) > oldest else 0
