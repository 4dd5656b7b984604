"""Brings a database up to date: numbered files for what is always there, generated tables for kinds.

All of it happens in one transaction that holds the write lock, so of several processes that start at once
one does the work and the others find it done.

A file that was applied once never changes: its checksum is kept, and another one is refused. The table of a kind
is made from the kind; when the kind gains an index, the column is added and filled from the JSON beside it.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from garrison.errors import StoreError
from garrison.stores.sql.migration import Migration, checked, migrations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.stores.sql.table import Table

__all__ = ["bring_up_to_date", "migrations"]


def migrations() -> tuple[Migration, ...]:
    """Read the files of this package in order."""
    return migrations_of(__package__)


def bring_up_to_date(
    connection: sqlite3.Connection, tables: Iterable[Table], steps: Sequence[Migration], now: int
) -> None:
    """Apply what is missing; everything or nothing.

    Args:
        connection: A writing connection outside a transaction.
        tables: One for each kind that the store serves.
        steps: The numbered files, in order.
        now: Wall microseconds, noted beside each file.

    Raises:
        StoreError: A file changed after it was applied, the database is newer than this release, records
            break a new unique index, or the database cannot be written.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _apply(connection, steps, now)
            for table in tables:
                _ensure(connection, table)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        msg = f"the store cannot be brought up to date: {error}"
        raise StoreError(msg) from error


def _apply(connection: sqlite3.Connection, steps: Sequence[Migration], now: int) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS garrison_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
        "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)"
    )
    applied = dict(connection.execute("SELECT number, checksum FROM garrison_migration").fetchall())
    for step in checked(steps, applied):
        for statement in _statements(step.text):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO garrison_migration VALUES (?1, ?2, ?3, ?4)", (step.number, step.name, step.checksum, now)
        )


def _statements(text: str) -> list[str]:
    """Split at the semicolons that end a statement; `executescript` would commit on its own."""
    statements, pending = [], ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements


def _ensure(connection: sqlite3.Connection, table: Table) -> None:
    name = table.shape.kind.name
    shape = repr((table.columns, table.shape.unique, bool(table.shape.expires)))
    row = connection.execute("SELECT shape FROM garrison_kind WHERE name = ?1", (name,)).fetchone()
    if row is not None and row[0] == shape:
        return
    if row is None:
        connection.execute(
            f"CREATE TABLE {table.name} (key TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, "
            "expires INTEGER NOT NULL, body TEXT NOT NULL)"
        )
    _columns(connection, table)
    _indexes(connection, table)
    connection.execute(
        "INSERT INTO garrison_kind VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET shape = excluded.shape",
        (name, shape),
    )


def _columns(connection: sqlite3.Connection, table: Table) -> None:
    """Add the columns that are missing and fill them, and the expiry, from the records themselves."""
    names, defaults = table.shape.names, table.shape.defaults
    there = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
    for field in table.shape.found:
        if f"i_{field}" not in there:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN i_{field} TEXT NOT NULL DEFAULT ''")
        # A struct may leave fields out that have their default.
        values = (f"$.{names[field]}", defaults.get(field, ""))
        connection.execute(f"UPDATE {table.name} SET i_{field} = coalesce(json_extract(body, ?1), ?2)", values)
    if table.shape.expires:
        field = table.shape.expires
        values = (f"$.{names[field]}", defaults.get(field, 0))
        connection.execute(f"UPDATE {table.name} SET expires = coalesce(json_extract(body, ?1), ?2)", values)
    else:
        connection.execute(f"UPDATE {table.name} SET expires = 0 WHERE expires <> 0")


def _indexes(connection: sqlite3.Connection, table: Table) -> None:
    name = table.shape.kind.name
    there = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1", (name,))
    for (index,) in there.fetchall():
        if not index.startswith("sqlite_"):
            connection.execute(f'DROP INDEX "{index}"')
    for field in table.shape.indexed:
        connection.execute(f"CREATE INDEX \"{name}.{field}\" ON {table.name} (i_{field}, key) WHERE i_{field} <> ''")
    for field in table.shape.unique:
        connection.execute(f"CREATE UNIQUE INDEX \"{name}.{field}\" ON {table.name} (i_{field}) WHERE i_{field} <> ''")
    if table.shape.expires:
        connection.execute(f'CREATE INDEX "{name}.expires" ON {table.name} (expires) WHERE expires > 0')
