"""Counters that processes share, with what a process can decide by itself.

A step is answered from here when it was refused a moment ago (`denials`) or was paid for in advance (`leases`); neither
ever passes what the shared counters would not have passed. When they do not answer, each limit says what happens
(`Limit.otherwise`), and a breaker keeps requests from waiting for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.errors import StoreError, UsageError
from garrison.limits import Ask, parse
from garrison.limits.limit import Verdict
from garrison.model.metric import Histogram
from garrison.model.units import SECOND
from garrison.stores.near.breaker import Breaker
from garrison.stores.near.denials import Denials
from garrison.stores.near.leases import Leases
from garrison.stores.near.recent import Recent
from garrison.stores.near.share import share
from garrison.stores.recorded import BackError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.limits.limit import Limit
    from garrison.model.clock import Clock
    from garrison.stores.memory.counters import MemoryCounters
    from garrison.stores.near.leases import Wish
    from garrison.stores.protocols import Counters
    from garrison.stores.recorded import RecordCounters

__all__ = ["DECISION", "Near", "NearCounters"]

DECISION: Final = 0.055
"""Seconds within which a limit is decided whatever happens to its counters: 30 ms for them, 20 for the records, 5."""

_UNASKED: Final = Verdict(True, 0, 0, 0)
"""Of a limit that was not asked because another one refuses, or because it passes uncounted: it promises nothing."""

_PROBE: Final = (Ask("garrison probe", parse("1000000/s")),)
"""A step that must be written, so that a server that can only read does not pass for one that answers."""

_SEEN: Final = 20_000
"""Limits of a subject of which a process knows what remained last."""


class Near:
    """What one process knows by itself, for both ways of waiting."""

    def __init__(self, memory: MemoryCounters, clock: Clock, processes: int) -> None:
        """Begin with nothing.

        Args:
            memory: Counts what this process counts alone.
            clock: Monotonic time for what is kept here, wall time for the beginning of an outage.
            processes: Most processes that count together.
        """
        self.memory = memory
        self.monotonic = clock.monotonic
        self.processes = processes
        self.denials = Denials()
        self.leases = Leases(processes)
        self.breaker = Breaker(clock.wall)
        self.seen: Recent[tuple[str, str], int] = Recent(_SEEN)
        """What remained when it was last told, of limits that go on in memory."""

        self.elsewhere: Recent[int, str] = Recent(_SEEN)
        """Where a place is held that was taken while the shared ones did not answer, by its lease: a way of limits."""

        self.owed: Recent[int, Ask] = Recent(_SEEN)
        """Places that could not be given back yet, by their lease."""

        self.waits = Histogram((0.001, 0.002, 0.005, 0.01, 0.02, 0.05, DECISION, 0.1, 1))
        """Seconds that steps waited for their verdicts, where somebody had to be asked."""

        self.told = {"shared": 0, "records": 0, "closed": 0, "local": 0, "open": 0}
        """Steps by who answered them; for metrics."""

    def forget(self, subject: str) -> None:
        """Forget what is kept here of a subject."""
        self.denials.forget(subject)
        self.leases.forget(subject)
        for key in self.seen.known():
            if key[0] == subject:
                self.seen.pop(key)


class NearCounters:
    """Implements `garrison.stores.protocols.Counters` in front of shared ones, for one way of waiting."""

    def __init__(self, near: Near, shared: Counters, spare: RecordCounters | None = None) -> None:
        """Stand in front of shared counters.

        Args:
            near: What the process knows by itself.
            shared: Count for all processes.
            spare: Count meanwhile when those do not answer; None: nothing does.
        """
        self._near = near
        self._shared = shared
        self._spare = spare

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Do what `take` does if it can be done without asking anybody; else give nothing."""
        near = self._near
        now = near.monotonic()
        verdicts = near.denials.find(asks if type(asks) is tuple else tuple(asks), now)
        return near.leases.spend(asks, now) or () if verdicts is None else verdicts

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Spend every ask, or none of them, as one step.

        Raises:
            StoreError: It cannot be counted, and a limit says that it is then refused.
            UsageError: A cost that is no whole number from 0 up.
        """
        asks = tuple(asks)
        return self.take_now(asks) or await self._take(asks)

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing."""
        asks, near = tuple(asks), self._near
        now = near.monotonic()
        known = near.denials.find(asks, now) or near.leases.look(asks, now)
        return known or await self._count(_checked(asks), "peek")

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what concurrency limits hold, to whoever counted it; at once, or as soon as it answers again."""
        held = [ask for ask in asks if ask.limit.algorithm == "concurrency"]
        if any(ask.lease <= 0 for ask in held):
            raise UsageError("release a concurrency limit with the lease of its verdict")
        for ask in held:
            await self._give_back(ask)

    async def _give_back(self, ask: Ask) -> None:
        """Give back one place, or keep it in mind for the job: an answer that is out waits for nobody."""
        near = self._near
        where = "local" if ask.limit.counted == "local" else near.elsewhere.get(ask.lease)
        if where == "local":
            await near.memory.release([self._part(ask)])
        elif where is None and near.breaker.open:
            near.owed.keep(ask.lease, ask)
            return
        else:
            try:
                await (self._shared if where is None or self._spare is None else self._spare).release([ask])
            except StoreError:
                if where is None:
                    near.breaker.failed(near.monotonic())
                near.owed.keep(ask.lease, ask)
                return
        near.elsewhere.pop(ask.lease)

    async def reset(self, subject: str) -> None:
        """Forget everything that was counted for one subject; other processes hear of it within a second."""
        self._near.forget(subject)
        await self._near.memory.reset(subject)
        if self._spare is not None:
            await self._spare.reset(subject)
        await self._shared.reset(subject)

    async def heal(self) -> None:
        """Ask counters that did not answer whether they do, and tell them what was counted meanwhile; for a job.

        The breaker closes only then, so that nobody may spend there what was already spent elsewhere.
        """
        near = self._near
        near.breaker.tried = near.monotonic()
        if near.breaker.open and not await self._closed():
            return
        for lease in near.owed.known():
            ask = near.owed.pop(lease)
            if ask is not None:
                await self._give_back(ask)

    async def _closed(self) -> bool:
        """Close the breaker if they answer and know everything; tells whether it is."""
        breaker = self._near.breaker
        counted = breaker.counted
        try:
            await self._shared.take(_PROBE)
            breaker.cut_off = False
            if self._spare is not None and not await self._spare.hand_over(self._shared):
                return False
        except StoreError:
            return False
        if breaker.counted != counted:
            return False
        breaker.close()
        self._near.denials.clear()
        return True

    async def _take(self, asks: tuple[Ask, ...]) -> Sequence[Verdict]:
        near = self._near
        begun = near.monotonic()
        try:
            return await self._decide(_checked(asks))
        finally:
            near.waits.add((near.monotonic() - begun) / SECOND)

    async def _decide(self, asks: tuple[Ask, ...]) -> Sequence[Verdict]:
        near = self._near
        sent = near.monotonic()
        wish = None if near.breaker.open else near.leases.wish(asks, sent)
        verdicts: Sequence[Verdict] | None = None
        if wish is not None:
            verdicts = await self._in_advance(wish, sent)
            if verdicts is None:
                # No second question: it would wait as long again.
                return await self._meanwhile(asks, "take")
            if wish.asks != asks and not all(verdict.allowed for verdict in verdicts):
                verdicts, sent = None, near.monotonic()
        if verdicts is None:
            verdicts = await self._count(asks, "take")
        near.denials.keep(asks, verdicts, sent)
        return verdicts

    async def _in_advance(self, wish: Wish, sent: int) -> Sequence[Verdict] | None:
        """Take units in advance; None: no answer."""
        verdicts: Sequence[Verdict] | None = None
        try:
            verdicts = await self._ask(wish.asks, "take")
        finally:
            self._near.leases.taken(wish, verdicts or (), sent)
        return verdicts

    async def _count(self, asks: tuple[Ask, ...], what: str) -> Sequence[Verdict]:
        """Take or peek at the shared counters, or wherever the limits say when they do not answer."""
        near = self._near
        if all(ask.limit.counted == "local" for ask in asks):
            return self._alone(asks, what)
        if self._spare is None and near.breaker.forgotten(near.monotonic()):
            await self.heal()
        verdicts = None if near.breaker.open else await self._ask(asks, what)
        return await self._meanwhile(asks, what) if verdicts is None else verdicts

    async def _ask(self, asks: tuple[Ask, ...], what: str) -> Sequence[Verdict] | None:
        """Take or peek at the shared counters; None: no answer."""
        try:
            if any(ask.limit.counted == "local" for ask in asks):
                verdicts: Sequence[Verdict] = await self._divided(asks, what, self._shared, _counted)
            else:
                verdicts = await _play(self._shared, what, asks)
        except StoreError:
            self._near.breaker.failed(self._near.monotonic())
            return None
        self._told(asks, verdicts)
        return verdicts

    def _told(self, asks: tuple[Ask, ...], verdicts: Sequence[Verdict]) -> None:
        """Remember that the shared counters answered, and what remains of limits that may have to go on without."""
        near = self._near
        near.told["shared"] += 1
        if near.breaker.faults:
            near.breaker.answered()
        for ask, verdict in zip(asks, verdicts, strict=True):
            if ask.limit.otherwise == "local":
                near.seen.keep((ask.subject, ask.limit.shape), verdict.remaining)

    async def _meanwhile(self, asks: tuple[Ask, ...], what: str) -> Sequence[Verdict]:
        """Count a step while the shared counters do not answer."""
        near, ways = self._near, {_otherwise(ask.limit) for ask in asks}
        way = "closed" if "records" in ways and self._spare is None else next(w for w in _WAYS if w in ways)
        near.told[way] += 1
        if way == "closed":
            raise StoreError("counters")
        for ask in asks:
            if _otherwise(ask.limit) == "local" and ask.limit.counted != "local":
                self._go_on(ask)
        spare = self._spare or near.memory
        if way == "records" and what == "take":
            near.breaker.missed = True
        try:
            verdicts = await self._divided(asks, what, spare, _otherwise)
        except BackError as told:
            if told.handing or near.breaker.cut_off:
                raise
            return await self._after_all(asks, what)
        if way == "records" and what == "take":
            # Said again: they may have been told of all others while this step was under way.
            near.breaker.counted += 1
            near.breaker.missed = True
        for ask, verdict in zip(asks, verdicts, strict=True):
            if verdict.lease:
                near.elsewhere.keep(verdict.lease, _otherwise(ask.limit))
        return verdicts

    async def _after_all(self, asks: tuple[Ask, ...], what: str) -> Sequence[Verdict]:
        """Ask the shared counters that answer others again; one without an answer keeps the next from waiting too."""
        try:
            return await self._divided(asks, what, self._shared, _counted)
        except StoreError:
            self._near.breaker.cut_off = True
            raise

    async def _divided(
        self, asks: tuple[Ask, ...], what: str, far: Counters, way: Callable[[Limit], str]
    ) -> list[Verdict]:
        """Spend one step in two places, or in neither: what is counted here is looked at first and spent last."""
        ways = [way(ask.limit) for ask in asks]
        here = [place for place, word in enumerate(ways) if word == "local"]
        there = [place for place, word in enumerate(ways) if word == "records"]
        verdicts = [_UNASKED] * len(asks)
        _put(verdicts, here, self._alone([asks[place] for place in here], "peek"))
        if there and all(verdict.allowed for verdict in verdicts):
            _put(verdicts, there, await _play(far, what, tuple(asks[place] for place in there)))
        if what == "take" and all(verdict.allowed for verdict in verdicts):
            # Somebody may have come between; then what was spent there is lost to them, and nothing too much passes.
            _put(verdicts, here, self._alone([asks[place] for place in here], "take"))
        return verdicts

    def _alone(self, asks: Sequence[Ask], what: str) -> Sequence[Verdict]:
        """Count in this process, by its part of each limit."""
        parts = [self._part(ask) for ask in asks]
        return self._near.memory.take_now(parts) if what == "take" else self._near.memory.peek_now(parts)

    def _part(self, ask: Ask) -> Ask:
        return ask._replace(limit=share(ask.limit, self._near.processes))

    def _go_on(self, ask: Ask) -> None:
        """Begin to count in this process where the shared counters left off, once for each time they were heard."""
        near = self._near
        remained = near.seen.pop((ask.subject, ask.limit.shape))
        if remained is None:
            return
        part = self._part(ask)
        spent = max(part.limit.burst - remained // near.processes, 0)
        while spent:
            (said,) = near.memory.take_now([part._replace(cost=spent)])
            if said.allowed and not said.retry_after:
                return
            # Other threads spend meanwhile; whoever gave up here would begin anew with a whole part.
            spent = min(spent - 1, said.remaining)


_WAYS: Final = ("closed", "records", "local", "open")
"""The strictest first: a step goes the way of its strictest limit."""


def _otherwise(limit: Limit) -> str:
    """Tell where a limit is counted while the shared counters do not answer."""
    return "local" if limit.counted == "local" else limit.otherwise


def _counted(limit: Limit) -> str:
    """Tell where a limit is counted while they do."""
    return "local" if limit.counted == "local" else "records"


def _checked(asks: tuple[Ask, ...]) -> tuple[Ask, ...]:
    """Refuse costs before anybody is asked: whoever passes or refuses everything meanwhile would not look at them."""
    for ask in asks:
        if type(ask.cost) is not int or ask.cost < 0:
            # A negative cost would give quota back to whoever may name one.
            raise UsageError(f"a cost is a whole number from 0 up, not {ask.cost!r}")
    return asks


def _put(verdicts: list[Verdict], places: Sequence[int], said: Sequence[Verdict]) -> None:
    for place, verdict in zip(places, said, strict=True):
        verdicts[place] = verdict


async def _play(counters: Counters, what: str, asks: tuple[Ask, ...]) -> Sequence[Verdict]:
    return await (counters.take(asks) if what == "take" else counters.peek(asks))
