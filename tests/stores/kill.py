"""Kills a writing process without warning and proves what it left behind."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

from garrison.audit import verify
from garrison.stores.protocols import Query
from garrison.testing.store_case import KEY, ORDER, THING
from tests.stores.storm import drive, opened, start

THREADS = 4


def kill_and_prove(place: Path | str, name: str, dice: random.Random, end: Callable[[], object] | None = None) -> int:
    """Storm, end it at a random moment, open again, prove; tells how many commits were acknowledged.

    Args:
        place: Path or URL of the store.
        name: Of the storm.
        dice: Draws the moment.
        end: Ends what the storm needs, and brings it back; SIGKILL of the storm itself when left out.
    """
    process = start(place, name, THREADS, 0)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    # Right after one thread was answered, the other three are anywhere in the middle of theirs.
    lines = [process.stdout.readline() for _ in range(dice.randrange(1, 200))]
    (end or process.kill)()
    process.wait()
    lines += process.stdout.readlines()
    process.stdout.close()
    acknowledged = _counted(lines)
    prove(place, name, acknowledged)
    return sum(acknowledged.values())


def _counted(lines: list[bytes]) -> dict[int, int]:
    """Count the acknowledged commits of each thread: they are made in order, so the last one counts them all."""
    counts: dict[int, int] = {}
    for line in lines:
        thread, number = line.split()
        counts[int(thread)] = int(number) + 1
    return counts


def prove(place: Path | str, name: str, acknowledged: dict[int, int]) -> None:
    """Every acknowledged record and event is there, nothing is half there, file and chain are sound."""
    store = opened(place)
    face = store.driven()
    things = {thing.id: thing for thing in drive(face.find(THING, "owner", name, limit=10**9))}
    orders = {order.number for order in drive(face.find(ORDER, "", "", limit=10**9))}
    events = drive(face.read(Query(code="stormed", limit=10**9)))
    subjects = {sealed.event.subject for sealed in events}
    report = drive(verify(face, [KEY]))
    store.close()

    assert report.flaws == ()
    for thread, count in acknowledged.items():
        ids = {f"{name}-{thread}-{number}" for number in range(count)}
        assert ids <= things.keys()
        assert ids <= subjects
    # A commit is whole or absent: as many records of each kind as events, and as many additions.
    ours = {subject for subject in subjects if subject.startswith(f"{name}-")}
    assert things.keys() == ours
    assert ours <= orders
    assert sum(thing.count for thing in things.values()) == len(things)
    if isinstance(place, Path):
        connection = sqlite3.connect(place)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
