"""Concurrency: so many requests in flight, whatever they take.

Each request holds a lease until it gives it back, or until the lease ends by itself, because whoever held
it may have died. A lease has a number that is never used again: a request that outlives its lease
gives back nothing, and in particular not the place of whoever came after it.

Sixteen bytes for each lease: when it ends, and its number.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from garrison.limits.limit import NEVER, Verdict

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["release", "spend"]


def spend(state: bytes | None, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[bytes | None, Verdict]:
    """Take `cost` places, or none.

    Args:
        state: What the last call gave; None for a subject never seen.
        now: Microseconds of the counter's clock.
        limit: The limit to hold; a lease lives for its window.
        cost: Places to take, all under one lease.
        lease: Number of the new lease, never used before.

    Returns:
        The state to keep, None to keep the old one; and the verdict, whose `retry_after` counts on nobody
        giving back early.
    """
    kept, moved = _clamped(state or b"", now + limit.window)
    leases = memoryview(kept).cast("q")
    gone = 0
    while gone < len(leases) and leases[gone] <= now:
        gone += 2
    held = (len(leases) - gone) // 2
    if held + cost <= limit.count:
        live = kept[8 * gone :] + pack("=qq", now + limit.window, lease) * cost
        return live, Verdict(True, limit.count - held - cost, 0, _reset(live, now, limit), lease if cost else 0)
    retry = NEVER
    if cost <= limit.count:
        retry = leases[gone + 2 * (held + cost - limit.count - 1)] - now
    remaining = max(limit.count - held, 0)
    return kept if moved else None, Verdict(False, remaining, retry, _reset(kept[8 * gone :], now, limit))


def release(state: bytes, lease: int) -> bytes:
    """Give back every place of a lease; what is no longer held is not given back."""
    leases = memoryview(state).cast("q")
    places = range(0, len(leases), 2)
    return b"".join(state[8 * place : 8 * place + 16] for place in places if leases[place + 1] != lease)


def _clamped(state: bytes, latest: int) -> tuple[bytes, bool]:
    """Let no lease end later than a new one would: the clock stepped back, or leases are shorter now."""
    leases = memoryview(state).cast("q")
    if not leases or leases[-2] <= latest:
        return state, False
    pairs = zip(leases[::2], leases[1::2], strict=True)
    return b"".join(pack("=qq", min(end, latest), lease) for end, lease in pairs), True


def _reset(live: bytes, now: int, limit: Limit) -> int:
    """Tell when a place is free at the latest: the first lease ends, or the first that leaves room."""
    leases = memoryview(live).cast("q")
    first = max(len(leases) - 2 * limit.count, 0)
    return leases[first] - now if len(leases) > first else 0
