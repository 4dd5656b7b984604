"""Records and journal in one SQLite file, for any number of threads and processes on one machine.

Reads happen in place, in the caller's thread, and never suspend. Changes go to the one writer of the process.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import finalize

from garrison.errors import StoreError, UnreadableError, UsageError
from garrison.stores.kinds import UnmetError, at_most, storable
from garrison.stores.protocols import Outcome
from garrison.stores.redact import redact
from garrison.stores.sealing import WRITER, body_of
from garrison.stores.sqlite import chain as journal
from garrison.stores.sqlite import fork
from garrison.stores.sqlite.caller import awaiting, blocking
from garrison.stores.sqlite.connection import Readers, connect, prepare_file
from garrison.stores.sqlite.schema import bring_up_to_date, migrations
from garrison.stores.sqlite.steps import prepare
from garrison.stores.sqlite.table import Table
from garrison.stores.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.model.clock import Clock
    from garrison.model.event import Event
    from garrison.stores.protocols import Head, Kind, Query, Record, Sealed, Step
    from garrison.stores.sqlite.caller import Caller
    from garrison.stores.sqlite.steps import Act

__all__ = ["SqliteFace", "SqliteStore"]


class SqliteStore:
    """One open file. Close it, or let the end of the process do so."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock: Clock,
        kinds: Iterable[Kind],
        chain_key: bytes,
        *,
        old_chain_keys: Sequence[bytes] = (),
        writer: str = WRITER,
    ) -> None:
        """Open the file, make it if it is not there, and bring it up to date.

        Args:
            path: The file; beside it SQLite keeps `-wal` and `-shm`. All three are for this user alone.
            clock: Wall time decides what has expired.
            kinds: Every kind the store is asked for.
            chain_key: Key of the journal's chain, at least 32 bytes.
            old_chain_keys: Former ones, which still recognise a head they sealed.
            writer: Name of the chain; processes that share the file share the chain.

        Raises:
            UsageError: A kind or key is malformed, or two kinds share a name.
            StoreError: The file cannot be opened or brought up to date.
        """
        self.path = Path(path)
        self.clock = clock
        self.tables: dict[str, Table] = {}
        for kind in kinds:
            self.tables[kind.name] = self.tables.get(kind.name) or Table(kind)
            self.table(kind)
        chain = journal.Chain((chain_key, *old_chain_keys), writer)
        prepare_file(self.path)
        first = connect(self.path, reading=False)
        try:
            bring_up_to_date(first, self.tables.values(), migrations(), clock.wall())
        finally:
            first.close()
        self.readers = Readers(self.path)
        self.writer = Writer(lambda: connect(Path(path), reading=False), chain, clock.wall)
        self._end = finalize(self, _close, self.writer, self.readers)
        fork.watch(self)

    def table(self, kind: Kind) -> Table:
        """Give the table of a kind.

        Raises:
            UsageError: The store was not opened with this kind.
        """
        table = self.tables.get(kind.name)
        if table is None or (table.shape.kind is not kind and table.shape.kind != kind):
            msg = f"the store was not opened with this kind {kind.name}"
            raise UsageError(msg)
        return table

    def awaited(self) -> SqliteFace:
        """Give the face for a loop: a change awaits the writer."""
        return SqliteFace(self, awaiting)

    def driven(self) -> SqliteFace:
        """Give the face for threads: a change blocks, and nothing ever suspends."""
        return SqliteFace(self, blocking)

    def close(self) -> None:
        """Write what is pending and close every connection; further calls raise `StoreError`."""
        self._end()

    def backup(self, target: str | os.PathLike[str]) -> None:
        """Copy the whole store into a new file, for this user alone, while it is in use.

        The copy is of one instant. Whoever puts it back also brings back what was spent or revoked since.

        Raises:
            StoreError: The target exists, or one of the two cannot be read or written.
        """
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            copy = sqlite3.connect(target)
            try:
                self.readers.here().backup(copy)
            finally:
                copy.close()
        except (OSError, sqlite3.Error) as error:
            msg = f"the store could not be copied: {error}"
            raise StoreError(msg) from error

    def hold(self) -> None:
        """Keep still while the process forks."""
        self.writer.hold()

    def release(self) -> None:
        """Go on after a fork, in the parent."""
        self.writer.release()

    def renew(self) -> object:
        """Begin anew in a forked child."""
        kept = self.readers.held(), self.writer.renew()
        self.readers.renew()
        return kept


def _close(writer: Writer, readers: Readers) -> None:
    writer.close()
    readers.close()


class SqliteFace:
    """Records and journal for one way of waiting."""

    __slots__ = ("_caller", "_clock", "_readers", "_store", "_tables", "_writer")

    def __init__(self, store: SqliteStore, caller: Caller) -> None:
        """Stand in front of a store."""
        self._store = store
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
        except sqlite3.Error as error:
            raise _fault(error) from error
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
        except sqlite3.Error as error:
            raise _fault(error) from error
        found: list[Any] = []
        try:
            for body, key in rows:
                found.append(table.shape.decode(body, str(key, "utf-8", "replace")))
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

        def work(connection: sqlite3.Connection, now: int) -> int:
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
            return journal.read(self._readers.here(), query, after)
        except sqlite3.Error as error:
            raise _fault(error) from error

    async def head(self, writer: str) -> Head | None:
        """Read where one chain ends."""
        return next((head for head in await self.heads() if head.writer == writer), None)

    async def heads(self) -> Sequence[Head]:
        """Read where every chain ends, ordered by writer."""
        try:
            return journal.heads(self._readers.here())
        except sqlite3.Error as error:
            raise _fault(error) from error

    async def trim(self, before: int, limit: int = 1_000) -> int:
        """Remove up to `limit` events older than `before` from the beginning of the chains; tells how many."""
        trim = self._writer.trim(before, at_most(limit))
        return int(await self._caller(trim))


def _all(acts: Sequence[Act]) -> Any:
    def work(connection: sqlite3.Connection, now: int) -> tuple[Record, ...]:
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


def _fault(error: sqlite3.Error) -> StoreError:
    return StoreError(f"the store could not answer: {error}")
