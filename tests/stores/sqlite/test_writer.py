"""One thread writes in groups: durable where it must be, each piece by itself, nobody waits for ever."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from garrison.errors import StoreError, UsageError
from garrison.model.event import Event
from garrison.stores.protocols import Kind, Put, Query, Record
from garrison.stores.sql import writer as module
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive


class Usage(Record, frozen=True, kw_only=True):
    id: str
    calls: int = 0


USAGE = Kind(name="usage", struct=Usage, durable=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "x.db", ManualClock(), (*KINDS, USAGE), KEY)
    drive(store.driven().flush())
    yield store
    store.close()


def trace(store: SqliteStore) -> list[str]:
    """Note every statement of the writer from now on."""
    statements: list[str] = []
    connection = store.writer._connection
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(statements.append)
    return statements


def hold(store: SqliteStore) -> Callable[[], None]:
    """Keep the writer busy until the returned function is called."""
    go, busy = threading.Event(), threading.Event()

    def work(connection: Any, now: int) -> None:
        busy.set()
        go.wait()

    store.writer.submit(work)
    busy.wait()
    return go.set


def put(store: SqliteStore, id: str) -> threading.Thread:
    thread = threading.Thread(target=lambda: drive(store.driven().commit([Put(THING, Thing(id=id))])))
    thread.start()
    return thread


def test_what_waits_goes_into_one_transaction(store: SqliteStore) -> None:
    """Twenty commits, one flush to disk."""
    statements = trace(store)
    release = hold(store)
    threads = [put(store, f"{number}") for number in range(20)]
    while store.writer._queue.qsize() < 20:
        pass
    release()
    for thread in threads:
        thread.join()

    assert statements.count("COMMIT") == 2  # the one that was held up, and the group
    assert len(drive(store.driven().find(THING, "", ""))) == 20


def test_records_and_events_are_flushed_to_disk_and_usage_is_not(store: SqliteStore) -> None:
    """FULL for what must outlive a power cut; NORMAL for usage and for what is written behind."""
    statements = trace(store)
    face = store.driven()
    drive(face.commit([Put(THING, Thing(id="a"))]))
    drive(face.commit([Put(USAGE, Usage(id="a"))]))
    drive(face.commit([Put(USAGE, Usage(id="b"))], [Event(code="x", at=1)]))
    drive(face.append([Event(code="y", at=1)]))
    drive(face.flush())
    drive(face.commit([Put(USAGE, Usage(id="c")), Put(THING, Thing(id="b"))]))

    modes = [statement.split()[-1] for statement in statements if statement.startswith("PRAGMA synchronous")]
    assert modes == ["FULL", "NORMAL", "FULL", "NORMAL", "FULL"]


def test_work_that_fails_leaves_the_rest_of_its_group_alone(store: SqliteStore) -> None:
    """And undoes what it did."""

    def work(connection: Any, now: int) -> None:
        connection.execute("DELETE FROM thing")
        raise UsageError("no")

    drive(store.driven().commit([Put(THING, Thing(id="kept"))]))
    release = hold(store)
    first, failing, last = put(store, "a"), store.writer.submit(work), put(store, "b")
    release()
    first.join()
    last.join()

    with pytest.raises(UsageError):
        failing.result()
    assert [thing.id for thing in drive(store.driven().find(THING, "", ""))] == ["a", "b", "kept"]


def test_an_error_of_the_database_becomes_a_store_error_with_its_cause(store: SqliteStore) -> None:
    """One that work brought upon itself ends that work; any other ends the group. The writer lives on."""

    def breaks_a_rule(connection: Any, now: int) -> None:
        connection.execute("INSERT INTO thing (key, version, expires, body) VALUES (NULL, 0, 0, '')")

    def cannot_go_on(connection: Any, now: int) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    release = hold(store)
    one, beside = store.writer.submit(breaks_a_rule), store.writer.submit(lambda connection, now: now)
    release()
    with pytest.raises(StoreError) as broken:
        one.result()
    assert isinstance(broken.value.__cause__, sqlite3.IntegrityError)
    assert beside.result() == ManualClock().wall()

    release = hold(store)
    work = [store.writer.submit(lambda connection, now: 1), store.writer.submit(cannot_go_on)]
    release()
    for future in work:
        with pytest.raises(StoreError, match="OperationalError"):
            future.result()
    assert drive(store.driven().commit([Put(THING, Thing(id="a"))])).done


def test_a_commit_given_up_before_it_was_begun_never_happens(store: SqliteStore) -> None:
    """A client that went away; one that goes away later changes nothing any more."""

    async def give_up() -> None:
        face = store.awaited()
        release = hold(store)
        task = asyncio.create_task(face.commit([Put(THING, Thing(id="never"))]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release()
        await face.flush()

    asyncio.run(give_up())

    assert drive(store.driven().get(THING, "never")) is None


def test_events_written_behind_are_written_by_themselves(store: SqliteStore) -> None:
    """After a tenth of a second; nobody has to ask."""
    written = threading.Event()
    connection = store.writer._connection
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(lambda statement: written.set() if statement == "COMMIT" else None)
    drive(store.driven().append([Event(code="x", at=1)]))

    assert written.wait(10)
    drive(store.driven().flush())
    assert len(drive(store.driven().read(Query()))) == 1


def test_a_hundred_events_are_not_kept_waiting(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the delay is."""
    monkeypatch.setattr(module, "BEHIND_DELAY", 3_600.0)
    written = threading.Event()
    connection = store.writer._connection
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(lambda statement: written.set() if statement == "COMMIT" else None)
    for number in range(module.BEHIND_EVENTS):
        drive(store.driven().append([Event(code=f"e{number}", at=1)]))

    assert written.wait(10)


def test_events_wait_for_a_failing_database_and_the_overflow_is_counted(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be kept is a number in the journal, not silence."""
    monkeypatch.setattr(module, "MOST_BEHIND", 5)
    monkeypatch.setattr(module, "RETRY_DELAY", 3_600.0)
    face = store.driven()
    connection = store.writer._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    drive(face.append([Event(code=f"e{number}", at=1, details={"x": "a b " * 60}) for number in range(8)]))
    with pytest.raises(StoreError):
        drive(face.commit([Put(THING, Thing(id="big", notes={"x": ["y" * 100_000]}))]))
    connection.execute("PRAGMA max_page_count = 1000000")
    drive(face.flush())

    codes = [(sealed.event.code, sealed.event.count) for sealed in drive(face.read(Query()))]
    assert codes == [("e0", 1), ("e1", 1), ("e2", 1), ("e3", 1), ("e4", 1), ("audit_events_lost", 3)]


def test_close_writes_what_waits(tmp_path: Path) -> None:
    """Events behind and commits in the queue."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    release = hold(store)
    thread = put(store, "a")
    while not store.writer._queue.qsize():
        pass
    drive(store.driven().append([Event(code="x", at=1)]))
    closing = threading.Thread(target=store.close)
    closing.start()
    release()
    closing.join()
    thread.join()

    again = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    assert drive(again.driven().get(THING, "a")) is not None
    assert [sealed.event.code for sealed in drive(again.driven().read(Query()))] == ["x"]
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]
