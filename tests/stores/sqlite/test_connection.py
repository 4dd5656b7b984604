"""Files for one user alone, and a reading connection for every thread."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import threading
from pathlib import Path
from weakref import ref

import pytest

from garrison.errors import StoreError, UsageError
from garrison.stores.protocols import Put
from garrison.stores.sqlite import connection as module
from garrison.stores.sqlite.connection import Readers, connect, prepare_file
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive


def test_the_file_and_its_log_are_for_this_user_alone(tmp_path: Path) -> None:
    """Also where the umask is generous, and for a directory that was made on the way."""
    before = os.umask(0)
    try:
        store = SqliteStore(tmp_path / "var" / "x.db", ManualClock(), KINDS, KEY)
        drive(store.driven().commit([Put(THING, Thing(id="a"))]))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var").iterdir()}
        store.close()
    finally:
        os.umask(before)

    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_a_file_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A copy put back by hand often has a generous mode."""
    path = tmp_path / "x.db"
    path.touch()
    path.chmod(0o666)
    prepare_file(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", ".", ":memory:", "file:x.db", "a\0b"])
def test_names_that_mean_something_else_to_sqlite_are_refused(name: str) -> None:
    """`:memory:` would give every thread a store of its own."""
    with pytest.raises(UsageError):
        prepare_file(Path(name))


def test_what_is_no_database_is_a_fault(tmp_path: Path) -> None:
    """A directory, a text file, a path below a file."""
    (tmp_path / "text").write_text("not a database, and longer than a header of one\n" * 100)
    for name in (".", "text", "text/x.db"):
        with pytest.raises(StoreError):
            SqliteStore(tmp_path / name, ManualClock(), KINDS, KEY)


def test_a_writer_is_durable_and_a_reader_cannot_write(tmp_path: Path) -> None:
    """FULL (2) means: flushed to disk before it returns."""
    path = tmp_path / "x.db"
    prepare_file(path)
    writer, reader = connect(path, reading=False), connect(path, reading=True)

    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert reader.execute("PRAGMA query_only").fetchone() == (1,)
    writer.close()
    reader.close()


def test_a_file_another_program_holds_while_the_log_is_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite gives up at once here, so the store tries again by itself, and not for ever."""
    path = tmp_path / "x.db"
    monkeypatch.setattr(module, "BUSY", 50)
    prepare_file(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        connect(path, reading=False)
    monkeypatch.setattr(module, "BUSY", 60_000)
    threading.Timer(0.05, other.execute, ["ROLLBACK"]).start()
    connect(path, reading=False).close()
    other.close()


def test_a_place_where_there_can_be_no_log_is_refused() -> None:
    """As on many network file systems; a database in memory stands for them."""
    connection = sqlite3.connect(":memory:")
    with pytest.raises(StoreError, match="write-ahead log"):
        module._log(connection)
    connection.close()


def test_every_thread_reads_on_its_own_connection_and_closes_it_when_it_ends(tmp_path: Path) -> None:
    """A server with a thread per request must not run out of files."""
    path = tmp_path / "x.db"
    prepare_file(path)
    connect(path, reading=False).close()
    readers = Readers(path)
    seen: list[int] = []
    leases: list[ref[object]] = []

    def read() -> None:
        seen.append(id(readers.here()))
        assert readers.here() is readers.here()
        leases.append(ref(readers._local.lease))

    here = readers.here()
    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
        thread.join()
    gc.collect()

    assert id(here) not in seen
    assert [lease() for lease in leases] == [None] * 5
    readers.close()
    with pytest.raises(StoreError):
        Readers(tmp_path / "none" / "x.db").here()
