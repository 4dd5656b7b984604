"""Every store gives the same answer to any history: the implementations check each other."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.postgres.store import PostgresStore
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Put, Query, Require
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import START, ManualClock
from garrison.testing.store_case import KEY, KINDS, ORDER, THING, Order, Thing
from tests.stores.postgres_server import postgres

KEYS = st.sampled_from(["a", "b", "\x00", "é", ""])
TEXTS = st.sampled_from(["", "x", "X", "'", "\ud800"])
VERSIONS = st.integers(0, 3)
EXPIRES = st.sampled_from([0, START - 1, START, START + 1, START + 5])
THINGS = st.builds(
    Thing, id=KEYS, owner=TEXTS, email=TEXTS, count=st.integers(-2, 2), expires_at=EXPIRES, version=VERSIONS
)
STEPS = st.one_of(
    st.builds(Put, st.just(THING), THINGS),
    st.builds(Put, st.just(ORDER), st.builds(Order, number=KEYS, version=VERSIONS)),
    st.builds(Add, st.just(THING), KEYS, st.sampled_from(["count", "expires_at", "owner"]), st.integers(-3, 3)),
    st.builds(Consume, st.just(THING), KEYS, st.none() | VERSIONS),
    st.builds(Drop, st.sampled_from([THING, ORDER]), KEYS),
    st.builds(
        Require, st.just(THING), KEYS, st.sampled_from(["count", "owner", "flag"]), st.sampled_from([0, "x", False])
    ),
    st.builds(Fewer, st.just(THING), st.sampled_from(["owner", "email", ""]), TEXTS, st.integers(-1, 2)),
)
MOVES = st.lists(st.one_of(st.lists(STEPS, max_size=4), st.integers(0, 4), st.just("sweep")), max_size=12)


def drive(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that does not suspend; an error is an answer, too."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    except Exception as error:
        return type(error)
    raise AssertionError("suspended")


def seen(face: Any) -> list[object]:
    """Everything anybody can see."""
    found: list[object] = [drive(face.find(kind, "", "")) for kind in KINDS]
    found += [drive(face.get(THING, key)) for key in ("a", "b", "\x00", "é")]
    found += [drive(face.find(THING, index, value)) for index in ("owner", "email") for value in ("x", "X", "'", "")]
    events = drive(face.read(Query(limit=1_000)))
    return [*found, [(sealed.sequence, sealed.mac, sealed.body) for sealed in events], drive(face.heads())]


def _agree(one: Any, other: Any, clock: ManualClock, moves: list[Any]) -> None:
    """Play the moves on two faces: same outcomes, same errors, same records, same chain."""
    for number, move in enumerate(moves):
        if isinstance(move, int):
            clock.advance(move)
        elif move == "sweep":
            for face in (one, other):
                drive(face.sweep())  # how many differs: memory also cleans up on the way
        else:
            event = Event(code=f"move_{number}", at=clock.wall())
            assert drive(one.commit(move, [event])) == drive(other.commit(move, [event]))
        assert seen(one) == seen(other)


@given(MOVES)
def test_memory_and_sqlite_answer_alike(moves: list[Any]) -> None:
    clock = ManualClock()
    with TemporaryDirectory() as directory:
        sqlite = SqliteStore(Path(directory, "x.db"), clock, KINDS, KEY)
        _agree(MemoryRecords(clock, KEY).driven(), sqlite.driven(), clock, moves)
        sqlite.close()


@settings(max_examples=25)
@given(MOVES)
def test_memory_and_postgres_answer_alike(moves: list[Any]) -> None:
    clock = ManualClock()
    store = PostgresStore(postgres().database(), clock, KINDS, KEY)
    _agree(MemoryRecords(clock, KEY).driven(), store.driven(), clock, moves)
    store.close()
