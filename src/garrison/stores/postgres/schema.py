"""Brings a database up to date: numbered files for what is always there, generated tables for kinds.

All of it happens in one transaction that holds the writing lock, so that of several processes that start at once one
does the work and the others find it done.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from garrison.errors import StoreError
from garrison.stores.postgres.connection import POSTGRES
from garrison.stores.sql.fault import fault_of
from garrison.stores.sql.migration import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.stores.sql.dialect import Connection
    from garrison.stores.sql.migration import Migration
    from garrison.stores.sql.table import Table

__all__ = ["UPDATE", "bring_up_to_date"]

UPDATE = 600
"""Seconds that each statement of an update may take: an index over millions of records is made by one."""

_PAGE_OF = "SELECT key, body FROM {} WHERE key > ?1 ORDER BY key LIMIT 1000"
"""Of all records, so that no number of them fills the memory."""


def bring_up_to_date(connection: Connection, tables: Iterable[Table], steps: Sequence[Migration], now: int) -> None:
    """Apply what is missing; everything or nothing.

    Args:
        connection: A writing connection outside a transaction.
        tables: One for each kind that the store serves.
        steps: The numbered files, in order.
        now: Wall microseconds, noted beside each file.

    Raises:
        StoreError: A file changed after it was applied, the database is newer than this release, records break a new
            unique index, or the database cannot be written.
    """
    try:
        begin, *rest = POSTGRES.begin[True]
        # Until it has the lock it may wait for another process that does all this.
        for statement in (begin, f"SET LOCAL statement_timeout = {UPDATE * 1_000}", *rest):
            connection.execute(statement)
        try:
            _apply(connection, steps, now)
            for table in tables:
                _ensure(connection, table)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    except POSTGRES.error as error:
        raise fault_of("the store cannot be brought up to date", error) from error


def _apply(connection: Connection, steps: Sequence[Migration], now: int) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS garrison_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
        "checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"
    )
    applied = dict(connection.execute("SELECT number, checksum FROM garrison_migration").fetchall())
    for step in checked(steps, applied):
        # Without parameters several statements go at once.
        connection.execute(step.text)
        connection.execute(
            "INSERT INTO garrison_migration VALUES (?1, ?2, ?3, ?4)", (step.number, step.name, step.checksum, now)
        )


def _ensure(connection: Connection, table: Table) -> None:
    name = table.shape.kind.name
    shape = repr((table.columns, table.shape.unique, bool(table.shape.expires)))
    row = connection.execute("SELECT shape FROM garrison_kind WHERE name = ?1", (name,)).fetchone()
    if row is not None and row[0] == shape:
        return
    if row is None:
        connection.execute(
            f'CREATE TABLE {table.name} (key TEXT COLLATE "C" NOT NULL PRIMARY KEY, version BIGINT NOT NULL, '
            "expires BIGINT NOT NULL, body TEXT NOT NULL)"
        )
    for field in table.shape.found:
        connection.execute(
            f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS i_{field} TEXT COLLATE \"C\" NOT NULL DEFAULT ''"
        )
    _fill(connection, table)
    _indexes(connection, table)
    connection.execute(
        "INSERT INTO garrison_kind VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET shape = excluded.shape",
        (name, shape),
    )


def _fill(connection: Connection, table: Table) -> None:
    """Write the columns anew from the records themselves; one that cannot be read keeps what it has."""
    after = ""
    while rows := connection.execute(_PAGE_OF.format(table.name), (after,)).fetchall():
        for key, body in rows:
            with suppress(StoreError):
                connection.execute(table.put, table.row(table.shape.decode(body, key)))
        after = rows[-1][0]


def _indexes(connection: Connection, table: Table) -> None:
    name = table.shape.kind.name
    there = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = ?1 AND schemaname = current_schema()", (name,)
    )
    for (index,) in there.fetchall():
        if "." in index:
            connection.execute(f'DROP INDEX "{index}"')
    for field in table.shape.indexed:
        connection.execute(f"CREATE INDEX \"{name}.{field}\" ON {table.name} (i_{field}, key) WHERE i_{field} <> ''")
    for field in table.shape.unique:
        connection.execute(f"CREATE UNIQUE INDEX \"{name}.{field}\" ON {table.name} (i_{field}) WHERE i_{field} <> ''")
    if table.shape.expires:
        connection.execute(f'CREATE INDEX "{name}.expires" ON {table.name} (expires) WHERE expires > 0')
