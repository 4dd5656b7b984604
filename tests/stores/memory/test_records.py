"""Memory stays bounded by what is live, without anybody cleaning up (the promises: `tests/contracts`)."""

from __future__ import annotations

import pytest

from garrison.audit import verify
from garrison.model.event import Event
from garrison.stores.memory import journal as module
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Put, Query
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, THING, Thing
from tests.stores.storm import drive


def test_single_use_marks_do_not_pile_up() -> None:
    """Each commit takes away more than it can bring."""
    clock = ManualClock()
    records = MemoryRecords(clock, KEY)
    for number in range(5_000):
        drive(records.commit([Put(THING, Thing(id=f"{number}", owner="o", expires_at=clock.wall() + 100))]))
        clock.advance(1)

    table = records._tables["thing"]
    assert len(table.records) <= 101
    assert len(table._deadlines) <= 101
    assert len(drive(records.find(THING, "owner", "o", limit=10**6))) <= 100


def test_a_record_put_again_lives_as_long_as_its_last_expiry() -> None:
    """An earlier deadline of the same key does not take it away."""
    clock = ManualClock()
    records = MemoryRecords(clock, KEY)
    now = clock.wall()
    drive(records.commit([Put(THING, Thing(id="a", expires_at=now + 5))]))
    drive(records.commit([Put(THING, Thing(id="a", version=1, expires_at=now + 50))]))
    clock.advance(10)

    assert drive(records.sweep()) == 0
    assert drive(records.get(THING, "a")).version == 2
    clock.advance(40)
    assert drive(records.sweep()) == 1


def test_the_journal_is_bounded_and_what_is_left_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest events go."""
    monkeypatch.setattr(module, "MOST_EVENTS", 800)
    records = MemoryRecords(ManualClock(), KEY)
    for _ in range(30):
        drive(records.append([Event(code="x", at=1)] * 100))

    assert 800 <= len(records._events) <= 900
    assert drive(records.read(Query(limit=1, newest=True)))[0].sequence == 3_000
    assert drive(verify(records, [KEY])).whole
