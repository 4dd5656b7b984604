"""Limits that load lowers: the busier a service is, the more of a limit a request costs, and never less than one.

The limit itself stays what it is, so that what was spent stays spent, and a load that comes and goes gives nobody a
fresh one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.limits.limit import Limit

__all__ = ["CALM", "DEAREST", "price"]

CALM: Final = 0.7
"""Load up to which a request costs one unit; from there it costs more."""

DEAREST: Final = 10
"""Units that a request costs when the load is 1: a tenth of the limit is left."""


def price(limit: Limit, load: float) -> int:
    """Tell how many units a request costs; never more than comes at once, so that one always may.

    Args:
        limit: What it is spent from.
        load: How busy the service is: 0 idle, 1 full. What is no number counts as full.
    """
    if load <= CALM:
        return 1
    # `min` gives its first argument where the other is no number.
    free = (1 - min(1.0, load)) / (1 - CALM)
    return max(min(round(1 / max(free, 1 / DEAREST)), limit.burst), 1)
