"""Who goes first when not all can be served: by what the route is worth, who asks, and which of them.

Shed by rank, and within a rank by a digest of who asks: the same callers are turned away for a minute and the others
finish what they began. At random, everybody would fail at some step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.limits.headers import REDUCED_CAPACITY
from garrison.model.http.refusal import refuse
from garrison.model.net import address_subject

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal

__all__ = ["CLASSES", "SPELL", "overloaded", "rank", "turn"]

CLASSES: Final = ("critical", "normal", "anonymous", "bulk", "anonymous-bulk")
"""Names of the ranks, the most important first."""

SPELL: Final = 60_000_000
"""Microseconds for which the same callers of a rank go first; then others do."""

_TURNS: Final = 1 << 16
_SOONEST, _SPREAD = 1, 3
"""Seconds after which to try again, and over how many more the callers are spread."""


def rank(decision: Decision) -> int:
    """Tell the rank of a request in `CLASSES`; only a credential that was verified counts."""
    priority = decision.plan.priority
    if priority == "critical":
        return 0
    return (3 if priority == "bulk" else 1) + (not decision.principal.is_authenticated)


def turn(decision: Decision, now: int) -> int:
    """Tell where a caller stands within its rank; the same for a spell, and no caller's to choose.

    Python's `hash` of a text is keyed anew in every process.
    """
    principal = decision.principal
    subject = principal.id if principal.is_authenticated else address_subject(decision.address)
    return hash((subject, now // SPELL)) % _TURNS


def overloaded(decision: Decision, standing: int) -> Refusal:
    """Turn a request away, and say when to try again."""
    seconds = _SOONEST + standing % _SPREAD
    return refuse(
        "overloaded",
        f"class:{CLASSES[rank(decision)]}",
        headers=((b"retry-after", b"%d" % seconds),),
        type=REDUCED_CAPACITY,
    )
