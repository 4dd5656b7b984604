"""Records and journal in PostgreSQL, for any number of threads, processes and machines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import finalize

from garrison.errors import UnreadableError, UsageError
from garrison.stores.kinds import at_most, storable
from garrison.stores.postgres.connection import POSTGRES, Place, PostgresConnection, PostgresReaders, escaped
from garrison.stores.postgres.lookups import Lookups
from garrison.stores.postgres.schema import UPDATE, bring_up_to_date
from garrison.stores.sealing import WRITER
from garrison.stores.sql import fork
from garrison.stores.sql.caller import awaiting, blocking
from garrison.stores.sql.chain import Chain
from garrison.stores.sql.face import SqlFace
from garrison.stores.sql.migration import migrations_of
from garrison.stores.sql.table import Table
from garrison.stores.sql.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.model.clock import Clock
    from garrison.stores.protocols import Head, Kind, Query, Sealed

__all__ = ["AwaitedFace", "PostgresStore"]


class PostgresStore:
    """One database. Close it, or let the end of the process do so."""

    dialect = POSTGRES

    def __init__(
        self,
        url: str,
        clock: Clock,
        kinds: Iterable[Kind],
        chain_key: bytes,
        *,
        old_chain_keys: Sequence[bytes] = (),
        writer: str = WRITER,
        password: str = "",
    ) -> None:
        """Connect, and bring the database up to date.

        Args:
            url: `postgresql://user@host:5432/database`, or `postgresql:///database?host=/run/postgresql`.
            clock: Wall time decides what has expired.
            kinds: Every kind the store is asked for.
            chain_key: Key of the journal's chain, at least 32 bytes.
            old_chain_keys: Former ones, which still recognise a head they sealed.
            writer: Name of the chain; processes that share the database share the chain.
            password: Of the user, where the server asks for one.

        Raises:
            UsageError: A kind or key is malformed, or two kinds share a name.
            StoreError: The server does not answer, or the database cannot be brought up to date.
        """
        self.clock = clock
        self.tables: dict[str, Table] = {}
        for kind in kinds:
            self.tables[kind.name] = self.tables.get(kind.name) or Table(kind, POSTGRES)
            self.table(kind)
        chain = Chain((chain_key, *old_chain_keys), writer, POSTGRES)
        place = Place(url, password)
        first = PostgresConnection(place, UPDATE + 1)
        try:
            bring_up_to_date(first, self.tables.values(), migrations_of(__package__), clock.wall())
        finally:
            first.close()
        self.readers = PostgresReaders(place)
        self.lookups = Lookups(place)
        self.writer = Writer(lambda: PostgresConnection(place), POSTGRES, chain, clock.wall)
        self._end = finalize(self, _close, self.writer, self.readers, self.lookups)
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

    def awaited(self) -> AwaitedFace:
        """Give the face for a loop: reads are put together, a change awaits the writer."""
        return AwaitedFace(self)

    def driven(self) -> SqlFace:
        """Give the face for threads: everything blocks, and nothing ever suspends."""
        return SqlFace(self, blocking)

    def close(self) -> None:
        """Write what is pending and close every connection; further calls raise `StoreError`."""
        self._end()

    def hold(self) -> None:
        """Keep still while the process forks."""
        self.writer.hold()

    def release(self) -> None:
        """Go on after a fork, in the parent."""
        self.writer.release()

    def renew(self) -> object:
        """Begin anew in a forked child: two processes on one connection would read each other's answers."""
        kept = self.readers.held(), self.writer.renew(), self.lookups.renew()
        self.readers.renew()
        return kept


class AwaitedFace(SqlFace):
    """Records and journal for a loop."""

    __slots__ = ("_lookups",)

    def __init__(self, store: PostgresStore) -> None:
        """Stand in front of a store."""
        super().__init__(store, awaiting)
        self._lookups = store.lookups

    async def get(self, kind: Kind, key: str) -> Any:
        """Read one record, or None when it is absent or expired."""
        table = self._store.table(kind)
        # A key that cannot be stored is not there.
        body = await self._lookups.get(table, escaped(key)) if storable(key) else None
        if body is None:
            return None
        record = table.shape.decode(body, key)
        return record if table.shape.live(record, self._clock.wall()) else None

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        """List live records under an indexed value, ordered by key, beginning after a key."""
        table = self._store.table(kind)
        table.shape.findable(index)
        if index and not storable(value):
            return ()
        after = after.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        values = (value if index else "", after, self._clock.wall(), at_most(limit))
        found: list[Any] = []
        try:
            for body, key in await self._lookups.fetch(table.find[index], values):
                found.append(table.shape.decode(body, key))
        except UnreadableError as error:
            raise UnreadableError(kind.name, error.key, found) from error.__cause__
        return tuple(found)

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        """Read events in chain order; operators do, so that a thread is good enough for it."""
        return await asyncio.to_thread(_driven, super().read(query, after))

    async def heads(self) -> Sequence[Head]:
        """Read where every chain ends, ordered by writer."""
        return await asyncio.to_thread(_driven, super().heads())


def _driven(work: Any) -> Any:
    """Run what never suspends."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    msg = "a read of a driven face suspended"
    raise RuntimeError(msg)


def _close(writer: Writer, readers: PostgresReaders, lookups: Lookups) -> None:
    writer.close()
    readers.close()
    lookups.close()
