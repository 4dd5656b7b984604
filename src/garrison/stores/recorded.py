"""Counters in a records store: exact over every process that shares it, for the price of a commit each.

Each counter is a record; a step reads those it is about, decides, and commits what it spent on the condition that
nobody else has changed them meanwhile. Whoever is overtaken decides anew, so that a limit is neither exceeded nor
refuses anybody for being busy.

Every process's clock counts here, so all of them follow wall time. No step of a clock grants anything back, and none
locks anybody out for longer than a spent limit does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from garrison.errors import StoreError, UsageError
from garrison.limits import concurrency, parse
from garrison.limits.algorithms import SPEND, State, carry
from garrison.limits.limit import Ask, Verdict
from garrison.limits.notation import text
from garrison.limits.subject import bounded
from garrison.model.units import HOUR, SECOND
from garrison.stores.protocols import Add, Drop, Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.limits.limit import Limit
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Counters, Records

__all__ = ["COUNTS", "MEANWHILE", "TRIES", "BackError", "Count", "RecordCounters"]

TRIES: Final = 1_000
"""How often a step may be overtaken; each time somebody else's went through."""

_PAGE: Final = 100


class Count(Record, frozen=True, kw_only=True):
    """One subject of one limit."""

    id: str
    subject: str
    """Whom it counts, at most 200 characters."""

    limit: str
    """By whose numbers it counts, in the policy's notation."""

    state: str
    """What the algorithm keeps: a whole number, or bytes in hexadecimal after an `x`."""

    until: int
    """When it is as good as new, wall microseconds."""

    passed: int = 0
    """Units that were spent and are not yet handed over."""

    began: int = 0
    """Since when the counters do not answer that this one stands in for, wall microseconds."""


COUNTS = Kind(name="counts", struct=Count, indexes=("subject",), expires="until", durable=False)
"""Not durable: a power cut may give back what was spent in the last seconds, a killed process gives back nothing."""


MEANWHILE = Kind(name="counts_meanwhile", struct=Count, indexes=("subject",), expires="until", durable=False)
"""What is counted while other counters do not answer."""


_BACK: Final = "#back"
"""The row that tells all processes when the others were back, and that somebody hands over to them; no counter is
called so."""

_HANDING: Final = 5 * SECOND
"""Microseconds after which a process that hands over is taken for dead."""

_TOLD: Final = HOUR
"""Microseconds for which it is told that they are back."""


class BackError(StoreError):
    """The counters that these stand in for answer again, another process has found; spending here would be twice."""

    def __init__(self, *, handing: bool) -> None:
        """Tell whether they are still being handed what was spent here."""
        super().__init__("counters")
        self.handing = handing


class _Held(NamedTuple):
    """A counter within one step."""

    row: Count
    """As it is stored; of version 0 if it is not."""

    state: State | None
    """What it says now."""

    limit: Limit
    changed: bool = False
    passed: int = 0
    """Units spent in this step."""


class RecordCounters:
    """Counters of every process that shares a records store; implements `garrison.stores.protocols.Counters`."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        randomness: Randomness,
        kind: Kind = COUNTS,
        since: Callable[[], int] | None = None,
    ) -> None:
        """Count in a store.

        Args:
            records: One face of it; opened with the kind.
            clock: Wall time.
            randomness: Numbers the leases of concurrency limits, never twice the same.
            kind: `COUNTS`, or `MEANWHILE` to stand in for counters that do not answer.
            since: Tells since when those do not, wall microseconds. What was spent there is not known, so that
                whoever has no row here counts as having spent everything at that instant.
        """
        self._records = records
        self._wall = clock.wall
        self._randomness = randomness
        self._kind = kind
        self._since = since
        self._old = 0, 0
        """The outage that was last looked at, by its beginning, and the mark of an earlier one that was there."""

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Spend every ask, or none of them, as one atomic step.

        Raises:
            StoreError: The store could not answer, or others were always faster; `BackError` where it need not.
            UsageError: A cost that is no whole number from 0 up.
        """
        for _ in range(TRIES):
            counters = await self._read(asks)
            verdicts, after = self._decided(asks, counters)
            steps = [Put(self._kind, _row(held, self._wall())) for held in after.values() if held.changed]
            if not steps or (await self._records.commit(steps)).done:
                return verdicts
        raise StoreError("counters")

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing."""
        return self._decided(asks, await self._read(asks))[0]

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what concurrency limits hold; see `Counters.release`."""
        for ask in asks:
            if ask.limit.algorithm != "concurrency":
                continue
            if ask.lease <= 0:
                raise UsageError("release a concurrency limit with the lease of its verdict")
            await self._give_back(ask)

    async def reset(self, subject: str) -> None:
        """Forget everything that was counted for one subject, whatever the limit."""
        name = bounded(subject)
        while rows := await self._records.find(self._kind, "subject", name, limit=_PAGE):
            await self._records.commit([Drop(self._kind, row.id) for row in rows])

    async def hand_over(self, counters: Counters) -> bool:
        """Spend there what was spent here, one process at a time.

        Whoever spent there before that could take what others have had here. So nobody trusts those counters while
        somebody hands over; and in the end nobody spends here any more, whoever has not noticed yet.

        Returns:
            Whether it is done; another process may be at it.

        Raises:
            StoreError: One of the two could not answer; what was not handed over is still here.
        """
        known = await self._records.get(self._kind, _BACK)
        if known is not None and known.state:
            return False
        row = await self._mark(known, began=known.began if known is not None else 0, handing=True)
        if row is None:
            return False
        try:
            await self._pass_on(counters)
            row = await self._mark(row, began=self._wall(), handing=True) or row
            await self._pass_on(counters)
        finally:
            await self._mark(row, began=row.began, handing=False)
        return True

    async def _mark(self, known: Count | None, *, began: int, handing: bool) -> Count | None:
        """Tell every process since when those counters are back, and whether somebody hands over; None: others do."""
        version, until = known.version if known is not None else 0, self._wall() + (_HANDING if handing else _TOLD)
        state = "handing" if handing else ""
        row = Count(version=version, id=_BACK, subject="", limit="", state=state, until=until, began=began)
        outcome = await self._records.commit([Put(self._kind, row)])
        return outcome.records[0] if outcome.done else None

    async def _pass_on(self, counters: Counters) -> None:
        after = ""
        while rows := await self._records.find(self._kind, "", "", after, _PAGE):
            mine = await self._claim([row for row in rows if row.passed])
            for number, row in enumerate(mine):
                try:
                    await _spend_up_to(counters, row)
                except UsageError:
                    # A limit that those cannot count: it passes nothing there, so that nothing is to be told.
                    continue
                except Exception:
                    left = [Add(self._kind, each.id, "passed", each.passed) for each in mine[number:]]
                    await self._records.commit(left)
                    raise
            after = rows[-1].id

    async def _claim(self, rows: Sequence[Count]) -> Sequence[Count]:
        """Mark rows as handed over; gives those that nobody else has spent from or claimed meanwhile."""
        steps = [Put(self._kind, replace(row, passed=0)) for row in rows]
        if not steps or (await self._records.commit(steps)).done:
            return rows
        return [row for row, step in zip(rows, steps, strict=True) if (await self._records.commit([step])).done]

    async def _read(self, asks: Sequence[Ask]) -> dict[str, _Held]:
        """Read every counter that a step is about, once; one of an earlier outage is as good as none."""
        began = self._since() if self._since is not None else 0
        if began:
            back = await self._records.get(self._kind, _BACK)
            if back is not None and self._is_new(back.began, began):
                raise BackError(handing=bool(back.state))
            if back is None:
                self._old = began, 0
        counters: dict[str, _Held] = {}
        for subject, limit, cost, _ in asks:
            if type(cost) is not int or cost < 0:
                # A negative cost would give quota back to whoever may name one.
                raise UsageError(f"a cost is a whole number from 0 up, not {cost!r}")
            id = _id(subject, limit)
            if id not in counters:
                row = await self._records.get(self._kind, id)
                row = row or Count(id=id, subject=bounded(subject), limit="", state="", until=0)
                if row.began < began:
                    row = replace(row, limit="", state="", began=began)
                counters[id] = _held(row, limit)
        return counters

    def _is_new(self, back: int, began: int) -> bool:
        """Tell whether a mark is one of this outage: the clock is trusted for the first one seen in it alone.

        Whoever sets the clock back within an outage would else make every mark seem old, or of the future.
        """
        outage, old = self._old
        if outage == began:
            return back != old
        # One from the future was written before the clock was set back.
        if began < back <= self._wall():
            return True
        self._old = began, back
        return False

    def _decided(self, asks: Sequence[Ask], before: dict[str, _Held]) -> tuple[list[Verdict], dict[str, _Held]]:
        """Decide one step; gives the verdicts, and the counters as they are to be kept."""
        now, after = self._wall(), dict(before)
        verdicts = [self._spend(ask, now, before, after) for ask in asks]
        if all(verdict.allowed for verdict in verdicts):
            return verdicts, after
        # Nothing is spent; only what sets a counter right after a clock's step stays.
        told = [
            verdict if verdict.retry_after else self._spend(ask._replace(cost=0), now, before, dict(before))
            for ask, verdict in zip(asks, verdicts, strict=True)
        ]
        return told, before

    def _spend(self, ask: Ask, now: int, before: dict[str, _Held], after: dict[str, _Held]) -> Verdict:
        id, limit = _id(ask.subject, ask.limit), ask.limit
        held = after[id]
        state = held.state if held.limit == limit else _carried(held, limit, now)
        if state is None and held.row.began:
            state = SPEND[limit.algorithm](None, min(held.row.began, now), limit, limit.burst, 1)[0]
        lease = int.from_bytes(self._randomness(8)) >> 1 | 1 if limit.algorithm == "concurrency" else 0
        kept, verdict = SPEND[limit.algorithm](state, now, limit, ask.cost, lease)
        if verdict.allowed:
            if ask.cost:
                after[id] = _Held(held.row, kept, limit, changed=True, passed=held.passed + ask.cost)
            return verdict
        if kept is not None:
            after[id] = before[id] = _Held(held.row, kept, limit, changed=True)
        return verdict._replace(allowed=True) if limit.mode == "observe" else verdict

    async def _give_back(self, ask: Ask) -> None:
        for _ in range(TRIES):
            row = await self._records.get(self._kind, _id(ask.subject, ask.limit))
            if row is None:
                return
            held = _held(row, ask.limit)
            freed = concurrency.release(_bytes(held.state), ask.lease)
            step = Put(self._kind, _row(held._replace(state=freed), self._wall()))
            if freed == held.state or (await self._records.commit([step])).done:
                return
        raise StoreError("counters")


async def _spend_up_to(counters: Counters, row: Count) -> None:
    """Spend what passed, or all there is: it may be more than ever comes at once."""
    limit = parse(row.limit)
    cost = min(row.passed, limit.burst) if limit.algorithm != "concurrency" else 0
    while cost > 0:
        (verdict,) = await counters.take([Ask(row.subject, limit.but(mode="enforce"), cost)])
        if verdict.allowed:
            return
        cost = min(verdict.remaining, cost - 1)


def _id(subject: str, limit: Limit) -> str:
    return bounded(f"{bounded(subject)} {limit.key}")


def _held(row: Count, limit: Limit) -> _Held:
    return _Held(row, _read_state(row.state), parse(row.limit) if row.limit else limit)


def _carried(held: _Held, limit: Limit, now: int) -> State | None:
    """Keep what was spent when the numbers of the limit changed."""
    return None if held.state is None else carry(held.state, held.limit, limit, now)


def _row(held: _Held, now: int) -> Count:
    row, limit = held.row, held.limit
    # A second more than it takes to drain, for processes whose clocks differ.
    until = now + limit.drain + SECOND
    return Count(
        version=row.version,
        id=row.id,
        subject=row.subject,
        limit=text(limit),
        state=_written_state(held.state),
        until=until,
        passed=row.passed + held.passed,
        began=row.began,
    )


def _written_state(state: State | None) -> str:
    return f"x{state.hex()}" if isinstance(state, bytes) else str(state or 0)


def _read_state(state: str) -> State | None:
    if not state:
        return None
    return bytes.fromhex(state[1:]) if state.startswith("x") else int(state)


def _bytes(state: State | None) -> bytes:
    """Give the leases of a counter that may hold none yet."""
    return state if isinstance(state, bytes) else b""
