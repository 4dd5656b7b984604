"""How many requests the application works on at once: as many as it bears, and those that matter first.

What is measured is how long the event loop, and the threads of handlers that block, let work wait. While it is short,
everything passes. When even the shortest wait is too long, fewer are let in at once; a few wait in a short queue, the
rest is turned away at once, at the cost of a refusal and not of an answer that comes too late.

Logins have a lane of their own: what is going on elsewhere cannot keep anybody from logging in, and a flood of logins
takes no more than its lane.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from bisect import insort
from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.adapters.asgi.lag import Lag
from garrison.limits.adaptive import INTERVAL, adapted
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.adapters.asgi.exchange import Exchange
    from garrison.guard.force import InForce

__all__ = ["BEAT", "LOGIN_SHARE", "PATIENCE", "QUEUE", "SHARES", "Gate", "Lane"]

QUEUE: Final = 64
"""Requests that wait to be let in, in each lane."""

PATIENCE: Final = 0.25
"""Seconds after which one that waits is turned away: its caller would not have the answer in time."""

BEAT: Final = 0.025
"""Seconds between two looks at how long work waits."""

SHARES: Final = (8, 8, 6, 4, 3)
"""Eighths of what may be inside that each of `shedding.CLASSES` may fill: strangers never keep out who is known."""

LOGIN_SHARE: Final = 8
"""Logins may be inside beside everything else, as many as an eighth of that, and at least `_LOGINS`."""

_LOGINS: Final = 4
_EIGHTHS: Final = 8
_SAMPLES: Final = 2
"""Looks in an interval at least: after one long step of one handler the next look finds no wait."""

_IDLE: Final = 10
"""Intervals without anybody inside after which nothing is looked at any more, until somebody comes."""

_Waiting: TypeAlias = "tuple[int, int, int, float, asyncio.Future[bool]]"
"""Rank, turn, how late it came (the last goes first), when, and whether it may go in."""


class Lane:
    """Requests that are inside, and those that wait to be."""

    __slots__ = ("_count", "held", "inside", "limit", "open", "peak", "queue")

    def __init__(self, limit: int) -> None:
        """Begin with nobody inside."""
        self.inside = 0
        self.peak = 0
        """Most of them at a look since the last decision."""

        self.held = False
        """Whether somebody had to wait since the last decision."""

        self.queue: list[_Waiting] = []
        """The best first."""

        self._count = 0
        self.limit = limit
        self.open = 0
        """Below this, everybody goes in without being looked at; 0: nobody does."""

    def change(self, limit: int, *, easy: bool) -> None:
        """Let in as many as this from now on.

        Args:
            limit: How many.
            easy: Whether nobody is looked at as long as they are few.
        """
        self.limit = limit
        self.open = limit * min(SHARES) // _EIGHTHS if easy else 0
        self._admit()

    def takes(self, rank: int) -> bool:
        """Tell whether there is room for one of the rank; something is always let in."""
        return self.inside < max(1, self.limit * SHARES[rank] // _EIGHTHS)

    def enter(self) -> None:
        """Go in."""
        self.inside += 1

    def leave(self) -> None:
        """Go out, and let the next one in."""
        self.inside -= 1
        if self.queue:
            self._admit()

    def _admit(self) -> None:
        while self.queue and self.takes(self.queue[0][0]):
            future = self.queue.pop(0)[-1]
            if not future.done():
                self.enter()
                future.set_result(True)

    def stand(self, rank: int, turn: int, now: float, future: asyncio.Future[bool]) -> None:
        """Wait to be let in; where the queue is full, whoever stands last of all is turned away."""
        self.held = True
        self._count += 1
        insort(self.queue, (rank, turn, -self._count, now, future))
        if len(self.queue) > QUEUE:
            _turn_away(self.queue.pop())

    def expire(self, before: float) -> None:
        """Turn away who has waited since before an instant."""
        for waiting in [one for one in self.queue if one[3] < before]:
            self.queue.remove(waiting)
            _turn_away(waiting)

    def forget(self, future: asyncio.Future[bool]) -> None:
        """Let go of one that waits no longer; if it was let in at that very moment, its place is free again."""
        self.queue = [one for one in self.queue if one[-1] is not future]
        if future.done() and not future.cancelled() and future.result():
            self.leave()


class Gate:
    """Before an application; one for an event loop."""

    def __init__(self, force: Callable[[], InForce], tell: Callable[[float], None]) -> None:
        """Begin with everything open.

        Args:
            force: Gives how many may be inside at the very most, and the wait from which on there are too many, as
                the policy in force says.
            tell: Is told the load: what part of those that may be inside at the very most are kept out now.
        """
        self._force = force
        self._tell = tell
        self._most = force().in_flight
        self.main = Lane(self._most)
        self.logins = Lane(_lane(self._most))
        self.hot = False
        """Whether fewer are let in than could be."""

        self._lag = Lag()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._since = 0.0
        self._idle = 0

    def lane(self, exchange: Exchange) -> Lane:
        """Find the lane of a request."""
        return self.logins if exchange.decision.plan.priority == "login" else self.main

    def enter(self, exchange: Exchange) -> bool:
        """Go in at once, as nearly everybody does; False: ask `wait`."""
        lane = self.main
        if lane.inside < lane.open and exchange.decision.plan.priority != "login":
            lane.inside += 1
            exchange.place = lane
            return True
        return False

    async def wait(self, exchange: Exchange, rank: int, turn: int) -> bool:
        """Go in, now or in a moment; False: it is turned away. Whoever finds a lane `open` need not ask.

        Args:
            exchange: Gets its place.
            rank: From `guard.shedding.rank`.
            turn: From `guard.shedding.turn`.
        """
        loop = get_running_loop()
        if self._loop is not loop:
            self._begin()
        future: asyncio.Future[bool] = loop.create_future()
        lane = self.lane(exchange)
        # Who waits already is of a rank for which there is no room.
        direct = lane.takes(rank)
        if direct:
            lane.enter()
            # Goes on in the next turn of the loop: others arrive in this one, and must be seen to before work begins.
            loop.call_soon(_let_in, future)
        else:
            lane.stand(rank, turn, loop.time(), future)
        try:
            if not await future:
                return False
        except asyncio.CancelledError:
            if direct:
                lane.leave()
            else:
                lane.forget(future)
            raise
        exchange.place = lane
        return True

    def close(self) -> None:
        """Look no more; the next request is looked at and begins anew, in whatever loop it is."""
        self._lag.close()
        self._loop = None
        self.main.open = self.logins.open = 0

    def _begin(self) -> None:
        self._loop = loop = get_running_loop()
        self._since = loop.time()
        self._decide(self.main.limit)
        self._lag.begin(loop, BEAT, self._beat)

    def _beat(self, now: float) -> None:
        """Decide once an interval has passed."""
        for lane in (self.main, self.logins):
            lane.peak = max(lane.peak, lane.inside)
            if lane.queue:
                lane.expire(now - PATIENCE)
        if now - self._since < INTERVAL / SECOND or self._lag.samples < _SAMPLES:
            return
        main, wait, target = self.main, self._lag.least(), self._force().wait
        self._decide(adapted(main.limit, self._most, wait=wait, peak=main.peak, held=main.held, target=target))
        self._since = now
        main.held, main.peak = False, main.inside
        self._idle = 0 if self.hot or main.peak else self._idle + 1
        if self._idle >= _IDLE:
            self.close()

    def _decide(self, limit: int) -> None:
        """Let in as many as this, or as a policy says that has come into force meanwhile."""
        most = self._force().in_flight
        limit = min(most, limit if self.hot or limit < self._most else most)
        self._most, self.hot = most, limit < most
        self._tell(1 - limit / most)
        self.main.change(limit, easy=not self.hot)
        self.logins.change(_lane(limit), easy=not self.hot)


def _lane(limit: int) -> int:
    return max(_LOGINS, limit // LOGIN_SHARE)


def _let_in(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(True)


def _turn_away(waiting: _Waiting) -> None:
    if not waiting[-1].done():
        waiting[-1].set_result(False)
