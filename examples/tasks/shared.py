"""Tasks in PostgreSQL, for several machines that serve the same ones; otherwise as in `examples.tasks.store`."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from select import POLLIN, poll
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import class_row

from examples.tasks.store import Page, Task, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SharedTaskStore"]

_LOCK = 7_461_736_307
"""Held while the table is made: of several processes that start at once, one makes it."""

_CONNECTIONS = 8
"""Most of a process: a server has a hundred, and a framework has more threads than it could use."""

_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
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
_ADD = """
INSERT INTO tasks (owner, title, description, status, priority, created_at, updated_at)
VALUES (%(owner)s, %(title)s, %(description)s, %(status)s, %(priority)s, %(now)s, %(now)s) RETURNING *
"""
_CHANGE = """
UPDATE tasks SET title = coalesce(%(title)s, title), description = coalesce(%(description)s, description),
    status = coalesce(%(status)s, status), priority = coalesce(%(priority)s, priority), updated_at = %(now)s
WHERE id = %(id)s RETURNING *
"""
_MINE = """
FROM tasks WHERE owner = %(owner)s AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(priority)s::integer IS NULL OR priority = %(priority)s)
"""
_COUNT = f"SELECT count(*) AS total {_MINE}"
_PAGE = f"SELECT * {_MINE} ORDER BY id DESC LIMIT %(limit)s OFFSET %(skipped)s"
_FIELDS = ("title", "description", "status", "priority")


class SharedTaskStore:
    """All tasks; a thread waits for one of a few connections."""

    def __init__(self, url: str, password: str = "") -> None:
        """Connect, and make the table unless it is there."""
        self._url = url
        self._password = password or None
        self._idle: list[psycopg.Connection] = []
        self._free = BoundedSemaphore(_CONNECTIONS)
        with self._connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(_TABLE)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        with self._free, _told():
            connection = self._taken()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    def _taken(self) -> psycopg.Connection:
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if not _ended(connection):
                    return connection
                connection.close()
        return psycopg.connect(self._url, password=self._password, autocommit=True, connect_timeout=5)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def add(self, owner: str, fields: dict[str, Any]) -> Task:
        """Store a new task of an owner."""
        (task,) = self._rows(_ADD, {**fields, "owner": owner, "now": _now()})
        return task

    def get(self, number: int) -> Task | None:
        """Read one task, whoever owns it; the caller must ask `me.must_own(task.owner)`."""
        return next(iter(self._rows("SELECT * FROM tasks WHERE id = %(id)s", {"id": number})), None)

    def page(self, owner: str, status: str | None, priority: int | None, limit: int, page: int) -> Page:
        """List an owner's tasks, newest first; the id breaks every tie, so no task moves between pages."""
        values = {"owner": owner, "status": status, "priority": priority, "limit": limit, "skipped": (page - 1) * limit}
        with self._connection() as connection:
            (total,) = connection.execute(_COUNT.encode(), values).fetchone() or (0,)
        return Page(self._rows(_PAGE, values), total)

    def change(self, number: int, fields: dict[str, Any]) -> Task | None:
        """Set the given fields of a task."""
        values = {**dict.fromkeys(_FIELDS), **fields, "id": number, "now": _now()}
        return next(iter(self._rows(_CHANGE, values)), None)

    def remove(self, number: int) -> bool:
        """Remove a task; of two that try at once, one is told that it was there."""
        with self._connection() as connection:
            return connection.execute("DELETE FROM tasks WHERE id = %s", (number,)).rowcount == 1

    def _rows(self, command: str, values: dict[str, Any]) -> list[Task]:
        with self._connection() as connection:
            return connection.cursor(row_factory=class_row(Task)).execute(command.encode(), values).fetchall()


@contextmanager
def _told() -> Iterator[None]:
    """Tell a server that is gone in the application's own word."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise UnavailableError from error


def _ended(connection: psycopg.Connection) -> bool:
    """Tell whether the server has closed it meanwhile: an idle connection has nothing to read but that."""
    look = poll()
    look.register(connection.pgconn.socket, POLLIN)
    return bool(look.poll(0))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
