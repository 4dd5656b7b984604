"""A damaged file, a full disk, a locked file: a `StoreError`, nothing half, and it goes on when it can."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.protocols import Put, Query
from garrison.stores.sqlite import connection as module
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, ORDER, THING, Order, Thing
from tests.stores.kill import prove
from tests.stores.storm import drive, surroundings

FULL = """
import resource, signal, sys
from garrison.errors import StoreError
from garrison.stores.sqlite.store import SqliteStore
from tests.stores.storm import ManualClock, KEY, KINDS, storm
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(sys.argv[1], ManualClock(), KINDS, KEY)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    storm(store.driven(), "full", 0, 0)
except StoreError as error:
    print(type(error.__cause__).__name__, flush=True)
"""


def store(path: Path) -> SqliteStore:
    return SqliteStore(path, ManualClock(), KINDS, KEY)


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The log may not grow any more, as on a full disk: the commit fails whole."""
    path = tmp_path / "x.db"
    process = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, env=surroundings(), check=True
    )
    *lines, last = process.stdout.splitlines()

    assert last in {b"OperationalError", b"DatabaseError"}
    assert len(lines) > 10
    prove(path, "full", {0: len(lines)})


def test_a_full_database_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    """No restart needed, and what failed left nothing in either table."""
    opened = store(tmp_path / "x.db")
    face = opened.driven()
    drive(face.commit([Put(THING, Thing(id="a"))]))
    connection = opened.writer._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 1")
    steps = [Put(ORDER, Order(number="1")), Put(THING, Thing(id="b", notes={"x": ["y" * 500_000]}))]
    with pytest.raises(StoreError) as full:
        drive(face.commit(steps, [Event(code="never", at=1)]))
    connection.execute("PRAGMA max_page_count = 1000000")

    assert isinstance(full.value.__cause__, sqlite3.OperationalError)
    assert drive(face.get(ORDER, "1")) is None
    assert drive(face.read(Query())) == ()
    assert drive(face.commit(steps)).done
    opened.close()


def test_a_damaged_file_is_a_fault_and_never_a_wrong_answer(tmp_path: Path) -> None:
    """Whatever page is hit: the right record or a `StoreError`."""
    path = tmp_path / "x.db"
    opened = store(path)
    drive(opened.driven().commit([Put(THING, Thing(id=f"{number:04}", owner="o")) for number in range(2_000)]))
    opened.close()
    sound = path.read_bytes()
    faults = 0
    for page in range(1, len(sound) // 4096, 7):
        path.write_bytes(sound[: page * 4096] + b"\xff" * 4096 + sound[(page + 1) * 4096 :])
        faults += _read_all(path)

    assert faults > 3


def _read_all(path: Path) -> int:
    faults = 0
    try:
        opened = store(path)
    except StoreError:
        return 1
    for number in range(0, 2_000, 50):
        try:
            thing = drive(opened.driven().get(THING, f"{number:04}"))
        except StoreError:
            faults = 1
        else:
            assert thing is None or thing.id == f"{number:04}"
    opened.close()
    return faults


def test_a_record_that_does_not_fit_its_struct_is_a_fault(tmp_path: Path) -> None:
    """It was changed behind the store's back."""
    opened = store(tmp_path / "x.db")
    drive(opened.driven().commit([Put(THING, Thing(id="a")), Put(THING, Thing(id="b"))]))
    raw = sqlite3.connect(tmp_path / "x.db")
    for id, body in (("a", '{"id": 5}'), ("b", "no json")):
        raw.execute("UPDATE thing SET body = ? WHERE key = ?", (body, id))
    raw.commit()
    raw.close()

    for id in ("a", "b"):
        with pytest.raises(StoreError):
            drive(opened.driven().get(THING, id))
    with pytest.raises(StoreError):
        drive(opened.driven().find(THING, "", ""))
    opened.close()


def test_a_file_another_process_keeps_locked_is_a_fault_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads go on meanwhile."""
    monkeypatch.setattr(module, "BUSY", 20)
    opened = store(tmp_path / "x.db")
    face = opened.driven()
    drive(face.commit([Put(THING, Thing(id="a"))]))
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="SQLITE_BUSY"):
        drive(face.commit([Put(THING, Thing(id="b"))]))
    assert drive(face.get(THING, "a")) is not None
    other.execute("ROLLBACK")
    other.close()

    assert drive(face.commit([Put(THING, Thing(id="b"))])).done
    opened.close()
