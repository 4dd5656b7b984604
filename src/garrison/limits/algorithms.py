"""Every way of counting under its name: the table that a store dispatches by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from garrison.limits import calendar, concurrency, log, rate, window

if TYPE_CHECKING:
    from garrison.limits.limit import Limit, Verdict

__all__ = ["SPEND", "Spend", "State", "carry"]

State: TypeAlias = int | bytes
"""What a store keeps for one subject of one limit; immutable, and opaque to the store."""


class Spend(Protocol):
    """Decide on one ask; pure, so that a store may decide on several before it keeps anything."""

    def __call__(self, state: Any, now: int, limit: Limit, cost: int, lease: int = 0) -> tuple[Any, Verdict]:
        """Give the state to keep, None to keep the old one, and the verdict.

        `now` is monotonic, for `calendar` wall time. The verdict leaves `limit.mode` aside.
        """
        ...


SPEND: dict[str, Spend] = {
    "rate": rate.spend,
    "log": log.spend,
    "window": window.spend,
    "calendar": calendar.spend,
    "concurrency": concurrency.spend,
}
"""By `Limit.algorithm`."""


def carry(state: State, before: Limit, after: Limit, now: int) -> State:
    """Turn the state of one limit into that of another with the same `Limit.key`: what is spent stays spent.

    Only a rate keeps its state in numbers of its own; the other states describe themselves.
    """
    return rate.carry(int(state), before, after, now) if after.algorithm == "rate" else state
