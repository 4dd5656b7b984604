"""Connections that wait for a request, and how many one caller may hold.

Without a deadline a caller needs one connection and a byte now and then to hold a place for ever (slowloris): idle
time is bounded by every server, a head that drips is not. One timer looks at all of them, so that ten thousand
connections cost what one costs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from garrison.model.net import address_subject, canonical
from garrison.model.units import SECOND

if TYPE_CHECKING:
    import asyncio

    from garrison.runtime.runtime import Runtime

__all__ = ["LOOKS", "Caller", "Waiting"]

LOOKS = 8
"""Looks at what waits within the time of a head: so much earlier than declared a connection may end, never later."""


class Caller(Protocol):
    """A connection."""

    def overdue(self) -> None:
        """End: no whole head has come in time."""
        ...


class Waiting:
    """What one process knows of the connections of its callers."""

    def __init__(self, runtime: Runtime) -> None:
        """Begin with none; the policy in force says how long and how many."""
        self._runtime = runtime
        self._since: dict[Caller, float] = {}
        self._open: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, caller: Caller, loop: asyncio.AbstractEventLoop) -> None:
        """Expect a head from now on, unless one is expected already."""
        if caller in self._since:
            return
        self._since[caller] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._longest / LOOKS, self._look, loop)

    def end(self, caller: Caller) -> None:
        """Expect nothing: the head is there, or the connection is gone."""
        self._since.pop(caller, None)

    def enter(self, peer: str) -> str | None:
        """Count a connection, unless its network has as many as it may.

        A proxy whose word is taken for the address of others holds the connections of all of them.

        Args:
            peer: Address of the socket's other end.

        Returns:
            What to `leave` with; None: too many.
        """
        address = canonical(peer)
        force = self._runtime.driven.force
        whose = "" if force.trusted.contains(address) else address_subject(address)
        if whose and self._open[whose] >= force.connections:
            return None
        self._open[whose] += 1
        return whose

    def leave(self, whose: str) -> None:
        """Count a connection no longer."""
        self._open[whose] -= 1
        if not self._open[whose]:
            del self._open[whose]

    @property
    def _longest(self) -> float:
        return self._runtime.driven.force.head_time / SECOND

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        longest = self._longest
        latest = loop.time() - longest + longest / LOOKS
        # They stand in the order in which they began.
        for caller, since in list(self._since.items()):
            if since > latest:
                break
            del self._since[caller]
            caller.overdue()
        self._timer = loop.call_later(longest / LOOKS, self._look, loop) if self._since else None
