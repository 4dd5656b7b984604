"""One file for many threads, many processes, forks and copies; closed without a trace."""

from __future__ import annotations

import gc
import os
import stat
import threading
from pathlib import Path

import pytest

from garrison.audit import verify
from garrison.errors import StoreError, UsageError
from garrison.model.event import Event
from garrison.stores.protocols import Put, Query
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.kill import prove
from tests.stores.storm import drive, start


def store(path: Path) -> SqliteStore:
    return SqliteStore(path, ManualClock(), KINDS, KEY)


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    """And the chain goes on where it ended."""
    for number in range(3):
        opened = store(tmp_path / "x.db")
        drive(opened.driven().commit([Put(THING, Thing(id=f"{number}"))], [Event(code=f"e{number}", at=1)]))
        opened.close()
    opened = store(tmp_path / "x.db")

    assert [thing.id for thing in drive(opened.driven().find(THING, "", ""))] == ["0", "1", "2"]
    assert [sealed.sequence for sealed in drive(opened.driven().read(Query()))] == [1, 2, 3]
    assert drive(verify(opened.driven(), [KEY])).whole
    opened.close()


def test_processes_share_a_file_and_one_chain(tmp_path: Path) -> None:
    """Three processes of two threads; no lost write, no forked chain."""
    path = tmp_path / "x.db"
    crowd = [start(path, f"p{number}", 2, 40) for number in range(3)]
    outputs = [process.communicate()[0] for process in crowd]

    assert [process.returncode for process in crowd] == [0, 0, 0]
    assert [len(output.splitlines()) for output in outputs] == [81, 81, 81]
    for number in range(3):
        prove(path, f"p{number}", {0: 40, 1: 40})
    opened = store(path)
    (head,) = drive(opened.driven().heads())
    assert (head.writer, head.sequence) == ("main", 3 * 2 * 40 * 2)
    opened.close()


def test_a_forked_child_and_its_parent_go_on_writing(tmp_path: Path) -> None:
    """What waited in the parent is written once; neither touches the other's connections."""
    opened = store(tmp_path / "x.db")
    face = opened.driven()
    drive(face.commit([Put(THING, Thing(id="before"))]))
    drive(face.get(THING, "before"))
    drive(face.append([Event(code="waited", at=1)]))
    child = os.fork()
    if not child:  # the child; nothing of pytest may go on in it
        try:
            known = drive(face.get(THING, "before")) is not None
            done = drive(face.commit([Put(THING, Thing(id="child"))], [Event(code="child", at=1)])).done
            opened.close()
            os._exit(0 if known and done else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    drive(face.commit([Put(THING, Thing(id="after"))], [Event(code="parent", at=1)]))

    assert os.waitstatus_to_exitcode(status) == 0
    assert [thing.id for thing in drive(face.find(THING, "", ""))] == ["after", "before", "child"]
    codes = sorted(sealed.event.code for sealed in drive(face.read(Query())))
    assert codes == ["child", "parent", "waited"]
    assert drive(verify(face, [KEY])).whole
    opened.close()


def test_a_fork_waits_until_the_writer_is_still(tmp_path: Path) -> None:
    """A child born in the middle of a transaction would inherit locks that nobody releases."""
    opened = store(tmp_path / "x.db")
    inside, go = threading.Event(), threading.Event()
    states: list[bool] = []

    def work(connection: object, now: int) -> None:
        inside.set()
        go.wait()
        states.append(True)

    future = opened.writer.submit(work)
    inside.wait()
    threading.Timer(0.05, go.set).start()
    child = os.fork()
    if not child:
        os._exit(0 if states else 1)
    _, status = os.waitpid(child, 0)
    future.result()

    assert os.waitstatus_to_exitcode(status) == 0
    opened.close()


def test_a_copy_is_whole_and_for_this_user_alone(tmp_path: Path) -> None:
    """While the store is in use; it never overwrites a file."""
    opened = store(tmp_path / "x.db")
    face = opened.driven()
    drive(face.commit([Put(THING, Thing(id="a"))], [Event(code="x", at=1)]))
    opened.backup(tmp_path / "copy.db")
    drive(face.commit([Put(THING, Thing(id="b"))]))
    with pytest.raises(StoreError):
        opened.backup(tmp_path / "copy.db")
    opened.close()
    copy = store(tmp_path / "copy.db")

    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert [thing.id for thing in drive(copy.driven().find(THING, "", ""))] == ["a"]
    assert drive(verify(copy.driven(), [KEY])).events == 1
    copy.close()


def test_a_store_nobody_holds_closes_itself(tmp_path: Path) -> None:
    """Its thread ends, its events are written, its log is gone."""
    opened = store(tmp_path / "x.db")
    drive(opened.driven().append([Event(code="x", at=1)]))
    thread = opened.writer._thread
    assert thread is not None
    del opened
    gc.collect()

    assert not thread.is_alive()
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]
    again = store(tmp_path / "x.db")
    assert len(drive(again.driven().read(Query()))) == 1
    again.close()


def test_a_kind_the_store_was_not_opened_with_is_refused(tmp_path: Path) -> None:
    """There is no table for it."""
    opened = SqliteStore(tmp_path / "x.db", ManualClock(), [], KEY)
    with pytest.raises(UsageError):
        drive(opened.driven().get(THING, "a"))
    opened.close()


@pytest.mark.parametrize(("key", "writer"), [(b"short", "main"), (KEY, "Main"), (KEY, ""), (KEY, "a\nb")])
def test_a_short_key_and_a_strange_chain_are_refused(tmp_path: Path, key: bytes, writer: str) -> None:
    """At start, not at the first event; and before a file is made."""
    with pytest.raises(UsageError):
        SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, key, writer=writer)
    assert list(tmp_path.iterdir()) == []
