"""A clock that goes only when a test says so."""

from __future__ import annotations

__all__ = ["START", "ManualClock"]

START = 1_800_000_000_000_000
"""Where wall time begins: 2027-01-15 08:00 UTC, in microseconds."""


class ManualClock:
    """Both clocks of a process (`garrison.model.clock.Clock`), in microseconds."""

    __slots__ = ("_monotonic", "_wall")

    def __init__(self, wall: int = START, monotonic: int = 1_000_000_000) -> None:
        """Stand still at two instants."""
        self._wall = wall
        self._monotonic = monotonic

    def wall(self) -> int:
        """Give wall microseconds."""
        return self._wall

    def monotonic(self) -> int:
        """Give monotonic microseconds."""
        return self._monotonic

    def advance(self, microseconds: int) -> None:
        """Let time pass on both clocks."""
        self._wall += microseconds
        self._monotonic += microseconds

    def step(self, microseconds: int) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does; the monotonic one does not notice."""
        self._wall += microseconds

    def jump(self, microseconds: int) -> None:
        """Set both clocks forward or back, as when a store's own clock is set or another machine takes over."""
        self.advance(microseconds)
