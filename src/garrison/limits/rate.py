"""Rate: so many requests come back per unit of time, and a burst may come at once.

The generic cell rate algorithm (ITU-T I.371 annex A) on whole numbers: every request adds a debt, and time
forgives it. A request costs `limit.unit`, a microsecond forgives `limit.refill`, so neither is ever a
fraction and nothing is rounded: a client that keeps to the rate is never refused, and nobody gains by asking
at odd moments.

Promise: in any stretch of time t, at most `burst + rate * t` requests pass. A window can therefore hold up to
twice the count; whoever must never exceed it says `at most`.

One integer per subject: the instant at which nothing is owed, in microseconds times `limit.refill`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.limits.limit import NEVER, Verdict

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["carry", "spend"]

_tuple: Final = tuple.__new__
"""`_tuple(Verdict, (...))` takes half the time of `Verdict(...)`, and this is the hot path."""


def spend(state: int | None, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[int | None, Verdict]:
    """Spend `cost` requests, or nothing.

    Args:
        state: What the last call gave for this limit; None for a subject never seen.
        now: Microseconds of the counter's clock.
        limit: The limit to hold.
        cost: Requests to spend.
        lease: Not used by this algorithm.

    Returns:
        The state to keep, None to keep the old one; and the verdict.
    """
    unit, refill = limit.unit, limit.refill
    even = now * refill
    owed = (0 if state is None or state < even else state - even) + cost * unit
    room = limit.full - owed
    if room >= 0:
        reset = (owed - 1) % unit // refill + 1 if owed else 0
        return even + owed, _tuple(Verdict, (True, room // unit, 0, reset, 0))
    return _refuse(state or 0, even, limit, cost)


def carry(state: int, before: Limit, after: Limit, now: int) -> int:
    """Turn the state of one limit into the state of another, so that as many requests are owed as before."""
    owed = max(state - now * before.refill, 0)
    return now * after.refill - (-owed * after.unit // before.unit)


def _refuse(state: int, even: int, limit: Limit, cost: int) -> tuple[int | None, Verdict]:
    if not limit.refill:
        # A rate that became nothing: what is owed to it is never forgiven, and looking is free.
        return None, _tuple(Verdict, (not cost, 0, NEVER if cost else 0, 0, 0))
    # A clock that stepped back locks nobody out for longer than a full burst takes to come back.
    owed = min(max(state - even, 0), limit.full)
    reset = (owed - 1) % limit.unit // limit.refill + 1 if owed else 0
    retry = -((limit.full - owed - cost * limit.unit) // limit.refill) if cost <= limit.burst else NEVER
    kept = even + owed if state - even > owed else None
    return kept, _tuple(Verdict, (False, (limit.full - owed) // limit.unit, retry, reset, 0))
