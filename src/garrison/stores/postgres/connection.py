"""Connections to PostgreSQL that speak as the shared code does: parameters `?1`, texts with any character.

One process writes at a time, for as long as one transaction lasts: it takes an advisory lock first, as SQLite takes
its write lock, so that every condition of a commit is judged against what is so, and no chain is extended twice from
one place. Whatever waits in a process while another writes goes into its next transaction, so that a hundred commits
at once cost one flush to disk there, too.

A connection that the server has ended is replaced at its next use. What was being asked of it then failed, and whether
a commit that was under way is applied, nobody knows: as `Records.commit` says.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

import psycopg
from psycopg import OperationalError, RawCursor
from psycopg.pq import TransactionStatus

from garrison.errors import StoreError
from garrison.stores.sql.dialect import Dialect
from garrison.stores.sql.fault import fault_of
from garrison.stores.sql.writer import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "ANSWER",
    "CONNECT",
    "POSTGRES",
    "STATEMENT",
    "Place",
    "PostgresConnection",
    "PostgresReaders",
    "escaped",
    "numbered",
    "unescaped",
]

CONNECT = 5
"""Seconds that a connection may take to be there."""

STATEMENT = 5_000
"""Milliseconds that one statement may take, waiting for another process's transaction included."""

ANSWER = 6.0
"""Seconds after which a server that says nothing is given up: a little more than it has for a statement."""

_LOOK = 0.1
"""Seconds between two looks at the clock while an answer is waited for."""

_WRITING = 0x6761727269736F6E
"""Names the lock that a writing transaction holds: the word `garrison`."""

_LOCK = f"SELECT pg_advisory_xact_lock({_WRITING})"

POSTGRES = Dialect(
    error=psycopg.Error,
    of_one=(psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError),
    begin=(
        ("BEGIN", "SET LOCAL synchronous_commit = off", _LOCK),
        # Where the server waits for its replicas as well, it goes on doing so.
        (
            "BEGIN",
            "SELECT set_config('synchronous_commit', 'on', TRUE) WHERE current_setting('synchronous_commit') = 'off'",
            _LOCK,
        ),
    ),
    text="convert_from({}, 'UTF8')",
    whole="TRUE",
)

_PARAMETER = re.compile(r"\?(\d*)")


@lru_cache(maxsize=1_024)
def numbered(statement: str) -> str:
    """Write `?1`, or `?` in order, as `$1`."""
    count = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${found[1] or count}"

    return _PARAMETER.sub(mark, statement)


def escaped(value: Any) -> Any:
    """Write a text without NUL, which PostgreSQL takes in none; texts keep their order, and stay apart."""
    if type(value) is str and ("\0" in value or "\1" in value):
        return value.replace("\1", "\1\2").replace("\0", "\1\1")
    return value


def unescaped(value: Any) -> Any:
    """Read what `escaped` wrote."""
    if type(value) is str and "\1" in value:
        return value.replace("\1\1", "\0").replace("\1\2", "\1")
    return value


class Place(NamedTuple):
    """Where the database is."""

    url: str
    password: str = ""

    def __repr__(self) -> str:
        """Show the URL alone."""
        return f"Place({self.url!r})"


class _Rows:
    """What one statement gave."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)

    def fetchone(self) -> Any:
        row = self._cursor.fetchone()
        return None if row is None else tuple(map(unescaped, row))

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        return (tuple(map(unescaped, row)) for row in self._cursor.fetchall())


class _Connection(psycopg.Connection[Any]):
    """Gives up a server that says nothing: behind a network that swallows all, its own limit ends no statement here."""

    answer: float = ANSWER
    """Seconds that it has."""

    def wait(self, gen: Any, interval: float = _LOOK, timeout: float | None = None) -> Any:
        """Wait for an answer; without one the connection is closed, for nobody knows what it is about."""
        try:
            return super().wait(gen, interval, self.answer if timeout is None else timeout)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class PostgresConnection:
    """One connection, in the manner of `sqlite3`."""

    __slots__ = ("__weakref__", "_connection", "_place")

    def __init__(self, place: Place, answer: float = ANSWER) -> None:
        """Connect.

        Args:
            place: Where to.
            answer: Seconds after which a server that says nothing is given up.

        Raises:
            StoreError: The server does not answer, or refuses.
        """
        self._place = place
        self._connection = _connected(place)
        self._connection.answer = answer

    def execute(self, statement: str, values: Sequence[Any] = ()) -> _Rows:
        """Run one statement; the first one after the server ended the connection opens another.

        Raises:
            psycopg.Error: It failed.
            StoreError: There is no connection to be had.
        """
        if self._connection.closed:
            self._connection = _connected(self._place)
        parameters = [escaped(value) for value in values] if values else None
        return _Rows(self._connection.execute(numbered(statement).encode(), parameters))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        with self._connection.cursor() as cursor:
            cursor.executemany(numbered(statement).encode(), [[escaped(value) for value in row] for row in rows])

    def close(self) -> None:
        """Let go of it."""
        with suppress(psycopg.Error):
            self._connection.close()

    def __del__(self) -> None:
        """Let go of it with the thread that read on it."""
        if hasattr(self, "_connection"):
            self.close()


def _connected(place: Place) -> _Connection:
    try:
        return _Connection.connect(
            place.url,
            password=place.password or None,
            autocommit=True,
            cursor_factory=RawCursor,
            connect_timeout=CONNECT,
            options=f"-c statement_timeout={STATEMENT} -c client_encoding=UTF8 -c application_name=garrison",
        )
    except psycopg.Error as error:
        raise fault_of("the store cannot be reached", error) from None


class PostgresReaders:
    """Gives every thread its own reading connection."""

    __slots__ = ("_local", "_open", "_place")

    def __init__(self, place: Place) -> None:
        """Open nothing yet."""
        self._place = place
        self.renew()

    def renew(self) -> None:
        """Begin without connections; for a forked child, which keeps the parent's alive and unused."""
        self._local = threading.local()
        self._open: WeakSet[PostgresConnection] | None = WeakSet()

    def held(self) -> object:
        """Give everything that keeps the connections alive."""
        return self._local, list(self._open or ())

    def here(self) -> PostgresConnection:
        """Give this thread's connection.

        Raises:
            StoreError: It cannot be opened, or the store is closed.
        """
        if self._open is None:
            raise StoreError(CLOSED)
        try:
            connection: PostgresConnection = self._local.connection
        except AttributeError:
            connection = self._local.connection = PostgresConnection(self._place)
            self._open.add(connection)
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        connections, self._open = self._open, None
        for connection in list(connections or ()):
            connection.close()
