"""Counters in memory: exact over all threads and tasks of one process.

Every decision is made under one lock and takes about a microsecond. Where the counters live, how they vanish
and what bounds them is in `garrison.stores.memory.generations`.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from garrison.errors import UsageError
from garrison.limits import concurrency
from garrison.limits.algorithms import SPEND, State
from garrison.limits.limit import Verdict
from garrison.stores.memory.generations import CAPACITY, Generations, States

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits.limit import Ask
    from garrison.model.clock import Clock

__all__ = ["MemoryCounters"]

_ONE: Final = 1
"""Compared by identity, which tells it from True and from 1.0; where ones differ, the longer way decides."""

_NOBODY: Final[dict[str, int]] = {}
"""The counters of a limit that has none yet; never written to."""

_tuple: Final = tuple.__new__
"""`_tuple(Verdict, (...))` takes half the time of `Verdict(...)`."""


_Slow: TypeAlias = "dict[int, tuple[Verdict, States, str, State | None]]"
"""By the place of an ask in its step: the verdict, and what to put back where if the step fails."""


class MemoryCounters:
    """Counters of one process.

    Implements `garrison.stores.protocols.Counters`. Its methods never suspend; `take_now` and `peek_now` do the
    same without a coroutine.
    """

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        """Begin with nothing counted.

        Args:
            clock: Monotonic time for everything but calendar limits, which follow wall time.
            capacity: Counters over all limits. Each limit may exceed it by 5,120 shared ones.
        """
        self._monotonic = clock.monotonic
        self._wall = clock.wall
        self._lock = Lock()
        self._acquire, self._release = self._lock.acquire, self._lock.release
        self._generations = Generations(capacity)
        self._hot = self._generations.hot
        self._leases = 0

    @property
    def live(self) -> int:
        """Counters in memory, dropped ones that are not yet freed included; for metrics."""
        with self._lock:
            return self._generations.live()

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Spend every ask, or none of them, as one atomic step.

        Returns:
            A verdict for each ask, in order. If one is not allowed, nothing was spent, and the verdicts of the
            others tell what remains.

        Raises:
            UsageError: A cost that is no whole number from 0 up.
        """
        return self.take_now(asks)

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing.

        Raises:
            UsageError: A cost that is no whole number from 0 up.
        """
        return self.peek_now(asks)

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what concurrency limits hold; asks of other limits are passed over.

        Args:
            asks: What was taken, each with the `lease` of its verdict. A lease that has ended gives back nothing.

        Raises:
            UsageError: An ask of a concurrency limit without a lease.
        """
        with self._lock:
            for ask in asks:
                if ask.limit.algorithm == "concurrency":
                    self._give_back(ask)

    async def reset(self, subject: str) -> None:
        """Forget everything that was counted for one subject alone, whatever the limit."""
        with self._lock:
            self._generations.forget(subject)

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Do what `take` does, without a coroutine."""
        verdicts: list[Verdict] = []
        hot = self._hot
        self._acquire()
        try:
            now = self._monotonic()
            if now >= self._generations.due:
                self._generations.tidy(now)
            for subject, limit, cost, _ in asks:
                # Nearly every ask is for one request of a rate that is known and not spent. This is
                # `garrison.limits.rate.spend` written out: going through it and the tables doubles the cost.
                home = hot.get(limit.shape, _NOBODY)
                state = home.get(subject)
                if state is None or cost is not _ONE:
                    return self._take_slowly(asks, verdicts, now)
                unit = limit.unit
                owed = state - now + unit if state > now else unit
                room = limit.full - owed
                if room < 0:
                    return self._take_slowly(asks, verdicts, now)
                home[subject] = now + owed
                verdicts.append(_tuple(Verdict, (True, room // unit, 0, owed % unit or unit, 0)))
            return verdicts
        finally:
            self._release()

    def peek_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Do what `peek` does, without a coroutine."""
        slow: _Slow = {}
        with self._lock:
            now = self._monotonic()
            try:
                for place, ask in enumerate(asks):
                    slow[place] = self._spend(ask, now, keep=False)
                return self._told(asks, [spent[0] for spent in slow.values()], slow, now)
            finally:
                self._roll_back(asks, len(slow), slow)

    def _take_slowly(self, asks: Sequence[Ask], verdicts: list[Verdict], now: int) -> Sequence[Verdict]:
        """Spend what is left of a step after the asks that have their verdict; undo it all when one does not pass."""
        slow: _Slow = {}
        try:
            for ask in asks[len(verdicts) :]:
                slow[len(verdicts)] = spent = self._spend(ask, now, keep=True)
                verdicts.append(spent[0])
        except UsageError:
            self._roll_back(asks, len(verdicts), slow)
            raise
        return verdicts if len(asks) == 1 else self._told(asks, verdicts, slow, now)

    def _spend(self, ask: Ask, now: int, keep: bool) -> tuple[Verdict, States, str, State | None]:
        """Spend one ask of any kind.

        Args:
            ask: The ask.
            now: Monotonic microseconds.
            keep: Whether this is meant to last, so that a new subject needs a place.

        Returns:
            The verdict; the dictionary, the key and what was there before, None where nothing was.
        """
        subject, limit, cost, _ = ask
        if type(cost) is not int or cost < 0:
            # A negative cost would give quota back to whoever may name one.
            raise UsageError(f"a cost is a whole number from 0 up, not {cost!r}")
        table = self._generations.table(limit, now)
        home, key, state = self._generations.find(table, subject, now, keep and cost > 0)
        before = home.get(key)
        if limit.algorithm == "calendar":
            now = self._wall()
        elif limit.algorithm == "concurrency":
            self._leases += 1
        kept, verdict = SPEND[limit.algorithm](state, now, limit, cost, self._leases)
        if verdict.allowed:
            if cost:
                home[key] = kept
            return verdict, home, key, before
        if keep and kept is not None:
            # The clock of this counter stepped back; what sets it right stays, also if the step fails.
            home[key] = before = kept
        return (verdict._replace(allowed=True) if limit.mode == "observe" else verdict), home, key, before

    def _told(self, asks: Sequence[Ask], verdicts: list[Verdict], slow: _Slow, now: int) -> list[Verdict]:
        """Finish a step: if one ask is denied, undo all, and let those that would pass tell what remains."""
        if all(verdict[0] for verdict in verdicts):
            return verdicts
        self._roll_back(asks, len(asks), slow)
        return [
            verdict if verdict.retry_after else self._spend(ask._replace(cost=0), now, keep=False)[0]
            for ask, verdict in zip(asks, verdicts, strict=True)
        ]

    def _roll_back(self, asks: Sequence[Ask], count: int, slow: _Slow) -> None:
        """Undo the first asks of a step, the latest first."""
        for place in reversed(range(count)):
            if place in slow:
                _, home, key, before = slow[place]
                if before is None:
                    home.pop(key, None)
                else:
                    home[key] = before
            else:
                # The short way took one request off the counter, whatever was there before.
                self._hot[asks[place].limit.shape][asks[place].subject] -= asks[place].limit.unit

    def _give_back(self, ask: Ask) -> None:
        if ask.lease <= 0:
            raise UsageError("release a concurrency limit with the lease of its verdict")
        for states, key in list(self._generations.holding(ask.limit, ask.subject)):
            # The states of concurrency limits are bytes, but for the one of a counter that holds nothing yet.
            states[key] = concurrency.release(cast("bytes", states[key] or b""), ask.lease)
