"""One database for many threads, processes and machines; what was promised outlives whatever dies."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Event as Flag
from typing import Any

import asyncpg
import pytest

from garrison.audit import verify
from garrison.errors import StoreError, UsageError
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.stores.postgres import connection
from garrison.stores.postgres.connection import POSTGRES, Place, PostgresConnection, escaped, numbered, unescaped
from garrison.stores.postgres.lookups import CONNECTIONS
from garrison.stores.postgres.store import PostgresStore
from garrison.stores.protocols import Kind, Put, Query
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.kill import kill_and_prove, prove
from tests.stores.postgres_server import PostgresServer, postgres
from tests.stores.storm import start


@pytest.fixture
def url() -> str:
    """An empty database."""
    return postgres().database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    """A store on it."""
    opened = PostgresStore(url, ManualClock(), KINDS, KEY)
    yield opened
    opened.close()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that may be stopped, and that keeps its word over it."""
    own = PostgresServer(fsync=True)
    yield own
    own.end()


def test_processes_share_a_database_and_one_chain(url: str) -> None:
    """Three processes of two threads; no lost write, no forked chain."""
    crowd = [start(url, f"p{number}", 2, 40) for number in range(3)]
    outputs = [process.communicate()[0] for process in crowd]

    assert [process.returncode for process in crowd] == [0, 0, 0]
    assert [len(output.splitlines()) for output in outputs] == [81, 81, 81]
    for number in range(3):
        prove(url, f"p{number}", {0: 40, 1: 40})


def test_what_was_acknowledged_survives_the_kill_of_a_process(url: str) -> None:
    dice = random.Random(9)

    assert min(kill_and_prove(url, f"n{number}", dice) for number in range(3)) > 0


def test_what_was_acknowledged_survives_the_end_of_the_server(server: PostgresServer) -> None:
    """As if its power was cut, in the middle of the storm."""
    dice, url = random.Random(9), server.database()

    def cut() -> None:
        server.stop("immediate")
        server.start()

    assert min(kill_and_prove(url, f"n{number}", dice, cut) for number in range(2)) > 0


@pytest.mark.parametrize("awaited", [True, False])
def test_a_server_that_comes_back_is_found_again(server: PostgresServer, *, awaited: bool) -> None:
    """While it is gone every answer is an error, and never an absence: a revoked key would be no key, too."""
    store = PostgresStore(server.database(), ManualClock(), KINDS, KEY)
    face: Any = store.awaited() if awaited else store.driven()

    async def lives() -> None:
        assert (await face.commit([Put(THING, Thing(id="a"))])).done
        assert await face.get(THING, "a") is not None
        server.stop("immediate")
        for _ in range(2):
            for work in (face.get(THING, "a"), face.find(THING, "", ""), face.heads(), face.read(Query())):
                with pytest.raises(StoreError):
                    await work
            with pytest.raises(StoreError):
                await face.commit([Put(THING, Thing(id="b"))])
        server.start()
        # A connection that stood idle is noticed to be gone when it is used.
        for _ in range(CONNECTIONS):
            with suppress(StoreError):
                await face.get(THING, "a")
        assert (await face.get(THING, "a")).id == "a"
        assert (await face.commit([Put(THING, Thing(id="c"))], [Event(code="x", at=1)])).done
        assert [sealed.event.code for sealed in await face.read(Query())] == ["x"]

    if awaited:
        asyncio.run(lives())
    else:
        drive(lives())
    store.close()


def test_a_server_that_says_nothing_is_given_up(server: PostgresServer) -> None:
    """Both ways, for reads and commits: whoever swallows what is sent must not hold every thread and every caller."""
    stores = [PostgresStore(server.database(), ManualClock(), KINDS, KEY) for _ in range(2)]
    driven, awaited = stores[0].driven(), stores[1].awaited()

    def works(face: Any) -> list[Any]:
        return [face.get(THING, "a"), face.find(THING, "", ""), face.commit([Put(THING, Thing(id="b"))])]

    async def each() -> list[Any]:
        paused.wait()
        return [await _failure(work) for work in works(driven)]

    async def together() -> list[Any]:
        await awaited.get(THING, "a")
        server.pause()
        paused.set()
        return await asyncio.gather(*map(_failure, works(awaited)))

    paused = Flag()
    drive(driven.get(THING, "a"))
    try:
        with ThreadPoolExecutor() as threads:
            on_loop = threads.submit(lambda: asyncio.run(together()))
            on_thread = threads.submit(lambda: drive(each()))
            found: list[Any] = [*on_loop.result(timeout=60), *on_thread.result(timeout=60)]
    finally:
        server.resume()
    assert [type(each) for each in found] == [StoreError] * 6
    assert drive(driven.get(THING, "c")) is None
    for store in stores:
        store.close()


async def _failure(work: Any) -> Any:
    try:
        return await work
    except StoreError as error:
        return error


def test_whoever_waits_is_answered_whatever_goes_wrong(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of, and a loop that ends its tasks."""

    async def ask(error: BaseException) -> Any:
        async def fails(*_: Any) -> Any:
            raise error

        face = store.awaited()
        await face.get(THING, "a")
        monkeypatch.setattr("asyncpg.Pool.fetch", fails)
        found: Any = await asyncio.gather(face.get(THING, "a"), return_exceptions=True)
        monkeypatch.undo()
        return found[0]

    for error in (RuntimeError("hush"), asyncpg.InternalClientError("hush"), asyncio.CancelledError()):
        told = asyncio.run(ask(error))
        assert (type(told), "hush" in str(told)) == (StoreError, False)


def test_a_commit_waits_for_what_the_server_waits_for_unless_it_need_not_last(server: PostgresServer) -> None:
    """A server whose replicas must have it is not told otherwise, and one that is careless is."""
    for setting, durable in (("remote_apply", "remote_apply"), ("off", "on"), ("local", "local")):
        url = server.database()
        PostgresConnection(Place(url)).execute(f"ALTER ROLE garrison SET synchronous_commit = {setting}")
        connection = PostgresConnection(Place(url))
        for begin, wanted in zip(POSTGRES.begin, ("off", durable), strict=True):
            for statement in begin:
                connection.execute(statement)
            assert connection.execute("SHOW synchronous_commit").fetchone() == (wanted,)
            connection.execute("ROLLBACK")
        connection.close()


def test_what_is_asked_in_one_turn_of_a_loop_is_one_question(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    face, asked = store.awaited(), []

    async def ask() -> list[Any]:
        await face.commit([Put(THING, Thing(id=f"t{number}", owner="ada")) for number in range(40)])
        loop = store.lookups._here()
        fetch = loop.fetch

        async def counted(statement: str, values: Any) -> Any:
            asked.append(len(values[0]))
            return await fetch(statement, values)

        monkeypatch.setattr(type(loop), "fetch", lambda _self, statement, values: counted(statement, values))
        return await asyncio.gather(*[face.get(THING, f"t{number % 50}") for number in range(100)])

    found = asyncio.run(ask())

    assert asked == [50]
    assert [thing.id if thing else None for thing in found[:50]] == [f"t{n}" if n < 40 else None for n in range(50)]
    assert found[:50] == found[50:]


def test_whoever_gives_up_takes_the_answer_from_nobody(store: PostgresStore) -> None:
    face = store.awaited()

    async def ask() -> list[Any]:
        await face.commit([Put(THING, Thing(id="a"))])
        tasks = [asyncio.ensure_future(face.get(THING, "a")) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    gone, *others = asyncio.run(ask())

    assert isinstance(gone, asyncio.CancelledError)
    assert [thing.id for thing in others] == ["a", "a"]


def test_a_forked_child_and_its_parent_go_on(store: PostgresStore) -> None:
    """Two processes on one connection would read each other's answers."""
    face = store.driven()
    drive(face.commit([Put(THING, Thing(id="before"))]))
    drive(face.get(THING, "before"))
    child = os.fork()
    if not child:  # the child; nothing of pytest may go on in it
        try:
            known = drive(face.get(THING, "before")) is not None
            done = drive(face.commit([Put(THING, Thing(id="child"))], [Event(code="child", at=1)])).done
        except BaseException:
            os._exit(2)
        os._exit(0 if known and done else 1)
    _, status = os.waitpid(child, 0)
    drive(face.commit([Put(THING, Thing(id="parent"))], [Event(code="parent", at=1)]))

    assert os.waitstatus_to_exitcode(status) == 0
    assert {thing.id for thing in drive(face.find(THING, "", ""))} == {"before", "child", "parent"}
    assert drive(verify(face, [KEY])).whole


def test_a_kind_that_gains_an_index_is_found_by_it(url: str) -> None:
    """What is there already, too; and one that loses an index loses it."""
    bare = Kind(name="thing", struct=Thing)
    first = PostgresStore(url, ManualClock(), [bare], KEY)
    drive(first.driven().commit([Put(bare, Thing(id="a\0b", owner="ada\0"))]))
    first.close()
    rich = Kind(name="thing", struct=Thing, indexes=("owner",), unique=("email",))
    second = PostgresStore(url, ManualClock(), [rich], KEY)

    assert [thing.id for thing in drive(second.driven().find(rich, "owner", "ada\0"))] == ["a\0b"]
    second.close()
    PostgresStore(url, ManualClock(), [bare], KEY).close()


def test_an_update_waits_longer_than_a_statement_may_and_reads_in_pages(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is at it, and there are many records; a commit would have been given up."""
    plain = Kind(name="thing", struct=Thing)
    with closing(PostgresStore(url, ManualClock(), [plain], KEY)) as store:
        for start in range(0, 2_500, 500):
            steps = [Put(plain, Thing(id=f"t{start + number}", owner="ada")) for number in range(500)]
            assert drive(store.driven().commit(steps)).done
    monkeypatch.setattr(connection, "STATEMENT", 200)
    other = PostgresConnection(Place(url))
    for statement in POSTGRES.begin[True]:
        other.execute(statement)
    with ThreadPoolExecutor() as threads:
        opened = threads.submit(lambda: PostgresStore(url, ManualClock(), [THING], KEY))
        watching = PostgresConnection(Place(url))
        while not watching.execute(WAITING).fetchone():
            assert not opened.done()
        other.execute("COMMIT")
        store = opened.result(timeout=60)
    found = drive(store.driven().find(THING, "owner", "ada", limit=5_000))
    assert len(found) == 2_500
    for each in (store, other, watching):
        each.close()


WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND clock_timestamp() - query_start > '400 ms'"


def test_a_database_of_a_newer_release_is_left_alone(url: str) -> None:
    PostgresStore(url, ManualClock(), KINDS, KEY).close()
    connection = PostgresConnection(Place(url))
    connection.execute("INSERT INTO garrison_migration VALUES (9999, 'later', 'x', 0)")

    with pytest.raises(StoreError, match="newer release"):
        PostgresStore(url, ManualClock(), KINDS, KEY)
    connection.execute("UPDATE garrison_migration SET number = 1, checksum = 'x' WHERE number = 1")
    connection.execute("DELETE FROM garrison_migration WHERE number = 9999")
    with pytest.raises(StoreError, match="not the file"):
        PostgresStore(url, ManualClock(), KINDS, KEY)
    connection.close()


def test_many_that_start_at_once_bring_it_up_to_date_once(url: str) -> None:
    crowd = [start(url, f"s{number}", 1, 1) for number in range(4)]

    assert [process.communicate()[0].splitlines()[0] for process in crowd] == [b"open"] * 4


def test_where_no_server_is_the_url_is_not_repeated() -> None:
    """Errors are logged, and a URL names users and hosts."""
    with pytest.raises(StoreError) as caught:
        PostgresStore("postgresql://secretive@localhost:1/x", ManualClock(), KINDS, KEY, password="hush")
    told = "".join(map(str, (caught.value, caught.value.__cause__, Place("postgresql://a@localhost/b", "hush"))))
    assert "hush" not in told
    assert "secretive" not in str(caught.value)


def test_a_store_that_is_closed_says_so(url: str) -> None:
    store = PostgresStore(url, ManualClock(), KINDS, KEY)
    faces: Any = (store.awaited(), store.driven())
    store.close()
    for face in faces:
        with pytest.raises(StoreError, match="closed"):
            asyncio.run(face.get(THING, "a"))
        with pytest.raises(StoreError, match="closed"):
            asyncio.run(face.commit([Put(THING, Thing(id="a"))]))


def test_an_unknown_kind_is_misuse(store: PostgresStore) -> None:
    with pytest.raises(UsageError):
        drive(store.driven().get(Kind(name="other", struct=Thing), "a"))


@pytest.mark.parametrize("text", ["", "a", "\0", "\1", "\1\1", "\1\2", "a\0\1\2b", "\0\0"])
def test_every_text_comes_back(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert "\0" not in escaped(text)


def test_escaped_texts_keep_their_order() -> None:
    texts = ["", "\0", "\0\0", "\0a", "\1", "\1\0", "\1a", "\2", "a"]

    assert sorted(texts, key=escaped) == texts


def test_parameters_are_numbered_as_they_stand() -> None:
    assert numbered("a = ?2 AND b = ?1") == "a = $2 AND b = $1"
    assert numbered("a = ? AND (b, c) > (?, ?)") == "a = $1 AND (b, c) > ($2, $3)"
