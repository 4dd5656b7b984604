"""Open connections by credential: closed within a second once the credential is refused.

A WebSocket or an event stream outlives the check that opened it. Without this a revoked key would go on
reading for as long as it keeps its connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.http.request import Request

__all__ = ["SWEEP", "Connections", "Ending", "Held"]

SWEEP = 0.4
"""Seconds between two looks at what is open."""


class Held(Protocol):
    """What is open: who asked for what, and what was decided."""

    request: Request
    decision: Decision


class Ending:
    """Whether a connection is being ended from here."""

    __slots__ = ("ended", "held", "since")

    def __init__(self, held: Held, since: float) -> None:
        """Begin with a connection that may stay."""
        self.held = held
        self.since = since
        self.ended = False


class Connections:
    """Everything open in one event loop, by the task that serves it."""

    def __init__(self, guard: Guard) -> None:
        """Begin with nothing open."""
        self._guard = guard
        self._open: dict[asyncio.Task[None] | None, Ending] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def begin(self, held: Held) -> Ending | None:
        """Register the running task while its connection is open; None: it needs no credential to stay.

        The task is cancelled when the credential is refused; the adapter lets the cancellation out, and the
        server closes the connection. Whoever begins must `end`.
        """
        if not held.decision.principal.credential:
            return None
        loop = asyncio.get_running_loop()
        ending = Ending(held, loop.time())
        self._open[asyncio.current_task(loop)] = ending
        if self._sweeper is None or self._sweeper.done() or self._sweeper.get_loop() is not loop:
            self._sweeper = loop.create_task(self._sweep())
        return ending

    def end(self) -> None:
        """Let go of the running task."""
        self._open.pop(asyncio.current_task(), None)

    async def _sweep(self) -> None:
        """Look again at whatever has been open for a while; ends when nothing is."""
        while self._open:
            await asyncio.sleep(SWEEP)
            before = asyncio.get_running_loop().time() - SWEEP
            for task, ending in list(self._open.items()):
                if task is None or ending.since > before:
                    continue
                if not await self._guard.still_allowed(ending.held.request, ending.held.decision):
                    ending.ended = task.cancel("the credential is no longer accepted")
