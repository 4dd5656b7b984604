"""How much may be worked on at once, by how long work waits: more while nobody waits, less as soon as all do.

Additive increase, multiplicative decrease, as in TCP, on the shortest wait of an interval. The shortest, because bursts
make some wait in a healthy service, and in an overloaded one even the luckiest waits. Waiting is the right sign: it
needs no picture of how long an answer takes when all is well, and slow endpoints do not look like load.

Meanwhile a request may cost more of its limits (`price`). Pure: what a wait is, whoever owns the queue tells.

Sources: V. Jacobson, "Congestion avoidance and control" (SIGCOMM 1988); K. Nichols and V. Jacobson, "Controlling queue
delay" (ACM Queue 10.5, 2012), for the shortest wait of an interval of 100 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.model.units import MILLISECOND

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["CALM", "DEAREST", "INTERVAL", "LEAST", "TARGET", "adapted", "price"]

INTERVAL: Final = 100 * MILLISECOND
"""Microseconds between two decisions."""

TARGET: Final = 25 * MILLISECOND
"""Shortest wait, in microseconds, from which on there is too much at once."""

LEAST: Final = 1
"""Something is always worked on, or nothing would ever be measured again."""

CALM: Final = 0.7
"""Load up to which a request costs one unit; from there it costs more."""

DEAREST: Final = 10
"""Units that a request costs when the load is 1: a tenth of the limit is left."""

_GENTLY: Final = 8
"""An eighth less, where the wait is a little too long."""

_DEEPLY: Final = 4
"""A quarter is left where it is more than `_FAR` times too long: every interval spent above it is lost."""

_FAR: Final = 8

_RELEASE: Final = 4
"""Where the limit holds nobody back it grows by a quarter, so that a spell of overload is forgotten in seconds."""


def adapted(limit: int, most: int, *, wait: int, peak: int, held: bool, target: int = TARGET) -> int:
    """Decide how much may be worked on at once in the next interval.

    Args:
        limit: How much may be now, from 1 to `most`.
        most: How much may be at the very most.
        wait: The shortest wait of the interval, in microseconds.
        peak: How much was worked on at once at most.
        held: Whether the limit held anybody back.
        target: The wait from which on there is too much, in microseconds.

    Returns:
        From `LEAST` to `most`.
    """
    if wait <= target:
        return min(most, limit + (1 if held else max(1, limit // _RELEASE)))
    # What was not reached held nothing back: it is from what there was that it must get less.
    now = max(min(limit, peak), LEAST)
    return max(LEAST, now // _DEEPLY if wait > _FAR * target else now - max(1, now // _GENTLY))


def price(limit: Limit, load: float) -> int:
    """Tell how many units a request costs; never more than comes at once, so that one always may.

    The limit itself stays what it is, so that what was spent stays spent, and a load that comes and goes gives nobody
    a fresh one.

    Args:
        limit: What it is spent from.
        load: How busy the service is: 0 idle, 1 full. What is no number counts as full.
    """
    if load <= CALM:
        return 1
    # `min` gives its first argument where the other is no number.
    free = (1 - min(1.0, load)) / (1 - CALM)
    return max(min(round(1 / max(free, 1 / DEAREST)), limit.burst), 1)
