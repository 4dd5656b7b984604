"""A circuit breaker: counters that do not answer are left alone until they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FAULTS", "FORGOTTEN", "PROBE", "Breaker"]

FAULTS: Final = 3
"""Questions without an answer, one after the other, after which no request asks any more; after the first one that was
counted in the records none does."""

PROBE: Final = 100_000
"""Microseconds between two probes of counters that did not answer; no request waits for one."""

FORGOTTEN: Final = 10 * PROBE
"""Microseconds without a probe after which a request does what nobody's job does: counters of one's own have none."""


class Breaker:
    """Whether the shared counters answer; one for a process."""

    def __init__(self, wall: Callable[[], int]) -> None:
        """Begin closed: they are asked."""
        self._wall = wall
        self.faults = 0
        """Questions without an answer since the last one that had one."""

        self.since = 0
        """Since when they do not answer, wall microseconds; also of the last time."""

        self.missed = False
        """Whether something was counted elsewhere meanwhile, and is to be told to them."""

        self.counted = 0
        """Steps that were counted elsewhere."""

        self.tried = 0
        """When they were last asked in vain, or a job looked after them, monotonic microseconds."""

        self.cut_off = False
        """Whether they answer others and not this process: no request tries again until a probe is answered."""

    @property
    def open(self) -> bool:
        """Whether requests shall go without them: they do not answer, or are still to be told what passed meanwhile."""
        return self.missed or self.faults >= FAULTS

    def forgotten(self, now: int) -> bool:
        """Tell whoever asks first that it must probe itself: they are left alone, and no job looks after them."""
        if not self.open or now < self.tried + FORGOTTEN:
            return False
        self.tried = now
        return True

    def failed(self, now: int) -> None:
        """They did not answer; `now` in monotonic microseconds."""
        self.tried = now
        if not self.faults and not self.missed:
            self.since = self._wall()
        self.faults += 1

    def answered(self) -> None:
        """They did; a breaker that is open stays so until a probe has closed it."""
        if not self.open:
            self.faults = 0

    def close(self) -> None:
        """Ask them again."""
        self.faults, self.missed = 0, False
