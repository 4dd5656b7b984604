"""Records and journal in one SQLite file, for any number of threads and processes on one machine."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from garrison.errors import StoreError, UsageError
from garrison.stores.sealing import WRITER
from garrison.stores.sql import chain as journal
from garrison.stores.sql import fork
from garrison.stores.sql.caller import awaiting, blocking
from garrison.stores.sql.face import SqlFace
from garrison.stores.sql.table import Table
from garrison.stores.sql.writer import Writer
from garrison.stores.sqlite.connection import SQLITE, Readers, connect, prepare_file
from garrison.stores.sqlite.schema import bring_up_to_date, migrations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.model.clock import Clock
    from garrison.stores.protocols import Kind

__all__ = ["SqliteStore"]


class SqliteStore:
    """One open file. Close it, or let the end of the process do so."""

    dialect = SQLITE

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
            self.tables[kind.name] = self.tables.get(kind.name) or Table(kind, SQLITE)
            self.table(kind)
        chain = journal.Chain((chain_key, *old_chain_keys), writer, SQLITE)
        prepare_file(self.path)
        first = connect(self.path, reading=False)
        try:
            bring_up_to_date(first, self.tables.values(), migrations(), clock.wall())
        finally:
            first.close()
        self.readers = Readers(self.path)
        self.writer = Writer(lambda: connect(Path(path), reading=False), SQLITE, chain, clock.wall)
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

    def awaited(self) -> SqlFace:
        """Give the face for a loop: a change awaits the writer."""
        return SqlFace(self, awaiting)

    def driven(self) -> SqlFace:
        """Give the face for threads: a change blocks, and nothing ever suspends."""
        return SqlFace(self, blocking)

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
