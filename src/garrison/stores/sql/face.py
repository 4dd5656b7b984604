"""Records and journal of an SQL store, for one way of waiting.

Reads happen in place, in the caller's thread, and never suspend. Changes go to the one writer of the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from garrison.errors import StoreError, UnreadableError
from garrison.stores.kinds import UnmetError, at_most, storable
from garrison.stores.protocols import Outcome
from garrison.stores.redact import redact
from garrison.stores.sealing import body_of
from garrison.stores.sql import chain as journal
from garrison.stores.sql.fault import fault_of
from garrison.stores.sql.steps import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.model.clock import Clock
    from garrison.model.event import Event
    from garrison.stores.protocols import Head, Kind, Query, Record, Sealed, Step
    from garrison.stores.sql.caller import Caller
    from garrison.stores.sql.dialect import Connection, Dialect
    from garrison.stores.sql.steps import Act
    from garrison.stores.sql.table import Table
    from garrison.stores.sql.writer import Writer

__all__ = ["Readers", "SqlFace", "SqlStore", "fault", "text_of"]


class Readers(Protocol):
    """Gives every thread its own reading connection."""

    def here(self) -> Connection:
        """Give this thread's connection.

        Raises:
            StoreError: It cannot be opened, or the store is closed.
        """
        ...


class SqlStore(Protocol):
    """What a face stands in front of."""

    dialect: Dialect
    clock: Clock
    tables: dict[str, Table]
    writer: Writer

    @property
    def readers(self) -> Readers:
        """Where to read."""
        ...

    def table(self, kind: Kind) -> Table:
        """Give the table of a kind.

        Raises:
            UsageError: The store was not opened with this kind.
        """
        ...


class SqlFace:
    """Records and journal for one way of waiting."""

    __slots__ = ("_caller", "_clock", "_dialect", "_readers", "_store", "_tables", "_writer")

    def __init__(self, store: SqlStore, caller: Caller) -> None:
        """Stand in front of a store."""
        self._store = store
        self._dialect = store.dialect
        self._caller = caller
        self._readers = store.readers
        self._tables = store.tables
        self._writer = store.writer
        self._clock = store.clock

    async def get(self, kind: Kind, key: str) -> Any:
        """Read one record, or None when it is absent or expired."""
        table = self._tables.get(kind.name)
        if table is None or table.shape.kind is not kind:
            table = self._store.table(kind)
        try:
            row = self._readers.here().execute(table.get, (key,)).fetchone()
        except UnicodeEncodeError:
            return None  # a lone surrogate: nothing was ever stored under such a key
        except self._dialect.error as error:
            raise fault(error) from error
        if row is None:
            return None
        record = table.shape.decode(row[0], key)
        return record if table.shape.live(record, self._clock.wall()) else None

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        """List live records under an indexed value, ordered by key, beginning after a key."""
        table = self._store.table(kind)
        table.shape.findable(index)
        if index and not storable(value):
            return ()
        after = after.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        values = (value if index else "", after, self._clock.wall(), at_most(limit))
        try:
            rows = self._readers.here().execute(table.find[index], values).fetchall()
        except self._dialect.error as error:
            raise fault(error) from error
        found: list[Any] = []
        try:
            for body, key in rows:
                found.append(table.shape.decode(body, text_of(key)))
        except UnreadableError as error:
            raise UnreadableError(kind.name, error.key, found) from error.__cause__
        return tuple(found)

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        """Apply every step and append every event, or nothing; durable once it returns done."""
        acts = [prepare(step, self._store.table) for step in steps]
        bodies = [body_of(redact(event)) for event in events]
        durable = bool(bodies) or any(step.kind.durable for step in steps)
        try:
            records = await self._caller(self._writer.submit(_all(acts), bodies, durable=durable))
        except UnmetError as unmet:
            return Outcome(False, unmet.step, unmet.condition)
        return Outcome(True, records=records)

    async def sweep(self, limit: int = 1_000) -> int:
        """Remove up to `limit` expired records for good; tells how many."""
        limit = at_most(limit)
        tables = [table for table in self._tables.values() if table.sweep]

        def work(connection: Connection, now: int) -> int:
            removed = 0
            for table in tables:
                if removed < limit:
                    removed += connection.execute(table.sweep, (now, limit - removed)).rowcount
            return removed

        return int(await self._caller(self._writer.submit(work, durable=False)))

    async def append(self, events: Sequence[Event]) -> None:
        """Write events behind: within 100 ms, or with the next commit."""
        self._writer.append([body_of(redact(event)) for event in events])

    async def flush(self) -> None:
        """Wait until everything appended so far is written."""
        await self._caller(self._writer.submit(lambda _connection, _now: None, durable=False))

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        """Read events in chain order, after a (writer, sequence); backwards for `newest`."""
        try:
            return journal.read(self._readers.here(), self._dialect, query, after)
        except self._dialect.error as error:
            raise fault(error) from error

    async def head(self, writer: str) -> Head | None:
        """Read where one chain ends."""
        return next((head for head in await self.heads() if head.writer == writer), None)

    async def heads(self) -> Sequence[Head]:
        """Read where every chain ends, ordered by writer."""
        try:
            return journal.heads(self._readers.here())
        except self._dialect.error as error:
            raise fault(error) from error

    async def trim(self, before: int, limit: int = 1_000) -> int:
        """Remove up to `limit` events older than `before` from the beginning of the chains; tells how many."""
        trim = self._writer.trim(before, at_most(limit))
        return int(await self._caller(trim))


def _all(acts: Sequence[Act]) -> Any:
    def work(connection: Connection, now: int) -> tuple[Record, ...]:
        records = []
        for number, act in enumerate(acts):
            try:
                record = act(connection, now)
            except UnmetError as unmet:
                unmet.step = number
                raise
            if record is not None:
                records.append(record)
        return tuple(records)

    return work


def fault(error: Exception) -> StoreError:
    """Give the error that leaves a store for one of its driver's."""
    return fault_of("the store could not answer", error)


def text_of(value: str | bytes) -> str:
    """Give a text as the database handed it out; bytes that are none are shown as far as they can be."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
