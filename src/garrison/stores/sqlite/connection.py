"""Connections to one SQLite file: how they are set up, and which thread reads on which.

A reader has a connection of its own in every thread, so a read never waits for another thread and never
leaves it. All of them see only what was committed (write-ahead log).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from garrison.errors import StoreError, UsageError
from garrison.stores.sql.dialect import Dialect
from garrison.stores.sql.writer import CLOSED
from garrison.stores.url import is_file

__all__ = ["BUSY", "CHECKPOINT_PAGES", "READ_BUSY", "SQLITE", "WAL_BYTES", "Readers", "connect", "prepare_file"]

BUSY = 5_000
"""Milliseconds a writer waits while another process writes."""

READ_BUSY = 250
"""Milliseconds a reader waits; in a write-ahead log it does so only while the log is being recovered."""

CHECKPOINT_PAGES = 1_000
"""Pages (4 KiB each) in the log after which a commit moves them into the file."""

WAL_BYTES = 64 << 20
"""What the log is cut back to when it has grown beyond."""

SQLITE = Dialect(
    error=sqlite3.Error,
    of_one=(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError),
    # It cannot change inside a transaction, and asking for what is already so costs half a microsecond.
    begin=(
        ("PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE"),
        ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"),
    ),
    text="CAST({} AS TEXT)",
    whole="typeof(sequence) = 'integer'",
)

_RETRY = 0.01
"""Seconds between two attempts to switch on the log, which other processes may be doing, too."""


def prepare_file(path: Path) -> None:
    """Make the file and its directory for this user alone; SQLite gives its log the same mode.

    Raises:
        UsageError: The path is one of SQLite's special names.
        StoreError: It cannot be made or protected.
    """
    if not is_file(str(path)):
        msg = f"sqlite: needs the path of a file, not {str(path)!r}"
        raise UsageError(msg)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            if os.fstat(handle).st_mode & 0o077:
                os.chmod(path, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        msg = f"the store {path} cannot be opened"
        raise StoreError(msg) from error


def connect(path: Path, *, reading: bool) -> sqlite3.Connection:
    """Open one connection.

    Raises:
        StoreError: It cannot be opened, or the file is no database, or lies where there can be no log.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            _set_up(connection, reading=reading)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        msg = f"the store {path} cannot be opened: {error}"
        raise StoreError(msg) from error
    return connection


def _set_up(connection: sqlite3.Connection, *, reading: bool) -> None:
    execute = connection.execute
    execute(f"PRAGMA busy_timeout = {READ_BUSY if reading else BUSY}")
    # What a tampered file says in its schema must not run functions.
    execute("PRAGMA trusted_schema = OFF")
    if reading:
        execute("PRAGMA query_only = ON")
        connection.text_factory = bytes
        return
    _log(connection)
    execute("PRAGMA synchronous = FULL")
    execute("PRAGMA secure_delete = FAST")
    execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def _log(connection: sqlite3.Connection) -> None:
    """Switch on the write-ahead log; SQLite does not wait by itself while another process does the same."""
    attempts = int(BUSY / 1_000 / _RETRY)
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError:
            attempts -= 1
            if not attempts:
                raise
            time.sleep(_RETRY)
    if mode != "wal":
        msg = "there can be no write-ahead log here (a network file system?)"
        raise StoreError(msg)


class _Lease:
    """Closes a thread's connection when the thread ends."""

    __slots__ = ("__weakref__", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.connection.close()


class Readers:
    """Gives every thread its own reading connection."""

    __slots__ = ("_leases", "_local", "_path")

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self.renew()

    def renew(self) -> None:
        """Begin without connections; for a forked child, which keeps the old ones alive (see `fork`)."""
        self._local = threading.local()
        self._leases: WeakSet[_Lease] | None = WeakSet()

    def held(self) -> object:
        """Give everything that keeps the connections alive."""
        return self._local, list(self._leases or ())

    def here(self) -> sqlite3.Connection:
        """Give this thread's connection.

        Raises:
            StoreError: It cannot be opened, or the store is closed.
        """
        try:
            connection: sqlite3.Connection = self._local.connection
        except AttributeError:
            connection = self._first()
        return connection

    def _first(self) -> sqlite3.Connection:
        if self._leases is None:
            raise StoreError(CLOSED)
        connection = connect(self._path, reading=True)
        self._local.connection = connection
        self._local.lease = lease = _Lease(connection)
        self._leases.add(lease)
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        leases, self._leases = self._leases, None
        for lease in list(leases or ()):
            lease.connection.close()
