"""How long work waits in this process: for the event loop, and for a thread of handlers that block.

Whatever is ready waits for a turn of the loop, as long as all else takes that is ready too. Handlers written as plain
functions run in the threads of anyio, whose queue nobody else looks into: a step that does nothing is queued behind
them and timed.
"""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lag"]

_FEWEST = 2
"""Looks of one kind that say anything: a single one may have met one long step, or a process that stood still."""


class Lag:
    """Looks every so often, for as long as somebody wants to know."""

    def __init__(self) -> None:
        """Begin without a look."""
        self._loops: list[int] = []
        self._threads: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._probe: asyncio.Task[None] | None = None
        self._limiter: Any = None
        self._asked = 0.0
        """When the step that is queued now was queued."""

    @property
    def samples(self) -> int:
        """Looks since the last `least`."""
        return len(self._loops)

    def begin(self, loop: asyncio.AbstractEventLoop, every: float, told: Callable[[float], None]) -> None:
        """Look from now on; every loop has threads of its own.

        Args:
            loop: The running one.
            every: Seconds.
            told: Called after each look with the loop's time.
        """
        self.close()
        self._limiter = None
        self._again(loop, every, told)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loops, self._threads = [], []

    def least(self) -> int:
        """Give the shortest wait since the last call, in microseconds: the loop's or, if longer, the threads'."""
        loops, threads = self._loops, self._threads
        self._loops, self._threads = [], []
        if not threads and self._probe is not None:
            # It has waited for so long that nothing else could be asked.
            threads = [int((monotonic() - self._asked) * SECOND)] * _FEWEST
        if len(threads) < _FEWEST:
            threads = []
        return max(min(loops, default=0), min(threads, default=0))

    def _again(self, loop: asyncio.AbstractEventLoop, every: float, told: Callable[[float], None]) -> None:
        self._timer = loop.call_later(every, self._look, loop, every, told)

    def _look(self, loop: asyncio.AbstractEventLoop, every: float, told: Callable[[float], None]) -> None:
        """Time the next whole turn of the loop.

        Not how late the timer is: a loop that stood still, because its process did, is not overloaded.
        """
        loop.call_soon(lambda: loop.call_soon(self._turned, monotonic()))
        if (self._probe is None or self._probe.done()) and self._crowded():
            self._probe, self._asked = loop.create_task(self._queue()), monotonic()
        self._again(loop, every, told)
        told(loop.time())

    def _turned(self, begun: float) -> None:
        self._loops.append(int((monotonic() - begun) * SECOND))

    def _crowded(self) -> bool:
        """Tell whether it is worth to ask for a thread: all have work, or who hands them out is not known yet."""
        limiter = self._limiter
        if limiter is None:
            return "anyio.to_thread" in sys.modules
        return bool(limiter.borrowed_tokens >= limiter.total_tokens)

    async def _queue(self) -> None:
        """Stand behind the handlers that wait for a thread, and see how long that takes."""
        if self._limiter is None:
            self._limiter = sys.modules["anyio.to_thread"].current_default_thread_limiter()
        else:
            async with self._limiter:
                self._threads.append(int((monotonic() - self._asked) * SECOND))
        self._probe = None
