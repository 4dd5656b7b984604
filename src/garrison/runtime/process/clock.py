"""The real clock: the only place where Garrison asks the machine for the time."""

from __future__ import annotations

from time import monotonic_ns, time_ns

__all__ = ["SystemClock"]


class SystemClock:
    """Wall and monotonic time of this machine, in microseconds."""

    __slots__ = ()

    def wall(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        return time_ns() // 1_000

    def monotonic(self) -> int:
        """Microseconds since some instant of this machine."""
        return monotonic_ns() // 1_000
