"""Tasks in SQLite: the application's own data, which Garrison knows nothing about."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Page", "Task", "TaskStore", "UnavailableError"]

_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS tasks_by_owner ON tasks (owner, id DESC);
"""


class UnavailableError(Exception):
    """Tasks cannot be reached at the moment."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task as it is stored."""

    id: int
    owner: str
    title: str
    description: str
    status: str
    priority: int
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some tasks, and how many there are altogether."""

    tasks: list[Task]
    total: int


class TaskStore:
    """All tasks; a connection per thread, because the framework runs handlers in several."""

    def __init__(self, path: Path) -> None:
        """Open or make the database."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its owner's alone, like Garrison's own database; what SQLite puts beside it is made alike.
        path.touch(mode=0o600)
        path.chmod(0o600)
        self._path = path
        self._local = threading.local()
        with self._connection() as connection:
            connection.executescript(_TABLE)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=5)
            connection.execute("PRAGMA journal_mode = WAL")
            self._local.connection = connection
        with connection:
            yield connection

    def add(self, owner: str, fields: dict[str, Any]) -> Task:
        """Store a new task of an owner."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._connection() as connection:
            row = connection.execute(
                "INSERT INTO tasks (owner, title, description, status, priority, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (owner, fields["title"], fields["description"], fields["status"], fields["priority"], now, now),
            ).fetchone()
        return Task(*row)

    def get(self, number: int) -> Task | None:
        """Read one task, whoever owns it; the caller must ask `me.must_own(task.owner)`."""
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM tasks WHERE id = ?", (number,)).fetchone()
        return Task(*row) if row else None

    def page(self, owner: str, status: str | None, priority: int | None, limit: int, page: int) -> Page:
        """List an owner's tasks, newest first; the id breaks every tie, so no task moves between pages."""
        where = "owner = ? AND (? IS NULL OR status = ?) AND (? IS NULL OR priority = ?)"
        values = (owner, status, status, priority, priority)
        with self._connection() as connection:
            (total,) = connection.execute(f"SELECT count(*) FROM tasks WHERE {where}", values).fetchone()  # noqa: S608  # fixed text
            rows = connection.execute(
                f"SELECT * FROM tasks WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608  # fixed text
                (*values, limit, (page - 1) * limit),
            ).fetchall()
        return Page([Task(*row) for row in rows], total)

    def change(self, number: int, fields: dict[str, Any]) -> Task | None:
        """Set the given fields of a task."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._connection() as connection:
            row = connection.execute(
                "UPDATE tasks SET title = coalesce(?, title), description = coalesce(?, description),"
                " status = coalesce(?, status), priority = coalesce(?, priority), updated_at = ?"
                " WHERE id = ? RETURNING *",
                (*(fields.get(name) for name in ("title", "description", "status", "priority")), now, number),
            ).fetchone()
        return Task(*row) if row else None

    def remove(self, number: int) -> bool:
        """Remove a task; of two that try at once, one is told that it was there."""
        with self._connection() as connection:
            return connection.execute("DELETE FROM tasks WHERE id = ?", (number,)).rowcount == 1
