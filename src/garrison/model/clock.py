"""What a clock gives: wall time for expiry, monotonic time for counters, both in microseconds."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Both clocks of a process; `garrison.runtime.process.clock.SystemClock` is the real one.

    Tests use `garrison.testing.ManualClock`.
    """

    def wall(self) -> int:
        """Microseconds since 1970-01-01 UTC: comparable between machines, may step back."""
        ...

    def monotonic(self) -> int:
        """Microseconds since some instant of this process: never steps back."""
        ...
