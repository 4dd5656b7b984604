"""Refusals that are still true: whoever goes on asking is answered here, without asking the counters.

A refusal says how long it lasts if nobody else spends, and whatever others spend makes it last longer. So until then
the same step is refused for certain, and an attacker above a limit costs a look into a dictionary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.limits.limit import NEVER, Verdict
from garrison.model.units import SECOND
from garrison.stores.near.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits.limit import Ask

__all__ = ["LONGEST", "MOST", "Denials"]

LONGEST: Final = SECOND
"""Microseconds that a refusal is kept at most: the bound on how long a reset goes unheard in another process."""

MOST: Final = 20_000
"""Refused steps that are kept."""

_tuple: Final = tuple.__new__
"""`_tuple(Verdict, (...))` takes half the time of `Verdict(...)`, and an attacker's requests are many."""


class Denials:
    """Steps that were refused, until they may pass."""

    def __init__(self, capacity: int = MOST) -> None:
        """Begin with none."""
        self.told = 0
        """How many steps were refused from here."""

        self._capacity = capacity
        self._kept: Recent[Sequence[Ask], tuple[int, int, Sequence[Verdict]]] = Recent(capacity)

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, asks: tuple[Ask, ...], now: int) -> list[Verdict] | None:
        """Give the verdicts of a step that would be refused, as of now; None: who knows.

        Args:
            asks: The step.
            now: Monotonic microseconds.
        """
        kept = self._kept.young.get(asks) or self._kept.old.get(asks)
        if kept is None or kept[0] <= now:
            return None
        for ask in asks:
            # True and 1.0 are found under 1, and are no costs.
            if type(ask[2]) is not int:
                return None
        self.told += 1
        _, sent, verdicts = kept
        passed = now - sent
        aged = []
        for allowed, remaining, retry, reset, _ in verdicts:
            if 0 < retry < NEVER:
                retry = retry - passed if retry > passed else 1
            reset = reset - passed if reset > passed else reset and 1
            aged.append(_tuple(Verdict, (allowed, remaining, retry, reset, 0)))
        return aged

    def keep(self, asks: tuple[Ask, ...], verdicts: Sequence[Verdict], sent: int) -> None:
        """Keep a refusal.

        Args:
            asks: The step.
            verdicts: What it was told.
            sent: Monotonic microseconds before it was asked: counted from there, no refusal outlives its reason.
        """
        # A place among concurrent requests may be given back at any moment.
        waits = [
            verdict.retry_after
            for ask, verdict in zip(asks, verdicts, strict=True)
            if not verdict.allowed and ask.limit.algorithm != "concurrency"
        ]
        if waits:
            self._kept.keep(asks, (sent + min(max(waits), LONGEST), sent, verdicts))

    def clear(self) -> None:
        """Forget every refusal: those that others than the shared counters have told are no longer true."""
        self._kept = Recent(self._capacity)

    def forget(self, subject: str) -> None:
        """Forget every refusal that a subject has to do with."""
        for asks in self._kept.known():
            if any(ask.subject == subject for ask in asks):
                self._kept.pop(asks)
