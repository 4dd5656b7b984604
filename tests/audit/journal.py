"""A journal of a few events, for the tests of what reads one."""

from __future__ import annotations

from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Head, Query, Sealed
from garrison.testing.clock import START, ManualClock
from garrison.testing.store_case import KEY
from tests.stores.storm import drive


def journal(count: int = 5, key: bytes = KEY) -> MemoryRecords:
    """Make one."""
    records = MemoryRecords(ManualClock(), key)
    events = [
        Event(code="stormed", at=START + number, actor="user:ada", subject=f"n:{number}") for number in range(count)
    ]
    drive(records.append(events))
    return records


def events(records: MemoryRecords) -> list[Sealed]:
    """Read all of it."""
    return list(drive(records.read(Query(limit=1_000_000))))


def heads(records: MemoryRecords) -> tuple[Head, ...]:
    """Read its heads."""
    return tuple(drive(records.heads()))
