"""Writes to a store as fast as it can and says what was acknowledged, until it is killed: a process of its own.

Run by tests: `python storm.py STORE NAME THREADS COMMITS`, with a path or a URL; COMMITS 0 means: for ever. After each
acknowledged commit it prints the number of the thread and of the commit; the pipe has them before the next one begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import garrison
from garrison.model.event import Event
from garrison.stores.open import open_records
from garrison.stores.protocols import Add, Put, Step
from garrison.stores.sql.face import SqlFace
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, ORDER, THING, Order, Thing

T = TypeVar("T")


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of a driven face."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("suspended")


def surroundings() -> dict[str, str]:
    """Give the environment in which another process finds the Garrison under test, and these tests."""
    paths = os.pathsep.join([str(Path(garrison.__file__).parents[1]), str(Path(__file__).parents[2])])
    return {**os.environ, "PYTHONPATH": paths}


def start(place: Path | str, name: str, threads: int, commits: int) -> subprocess.Popen[bytes]:
    """Begin a storm in a process of its own; what a thread of it dies of is not shown."""
    command = [sys.executable, __file__, str(place), name, str(threads), str(commits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=surroundings())


def opened(place: Path | str) -> Any:
    """Open a store by its URL, or SQLite's by its path."""
    url = str(place) if ":" in str(place) else f"sqlite:{place}"
    return open_records(url, ManualClock(), KINDS, KEY)


def storm(face: SqlFace, name: str, thread: int, commits: int) -> None:
    """Commit three records of two kinds and one event at a time, and append one event between."""
    number = 0
    while not commits or number < commits:
        id = f"{name}-{thread}-{number}"
        steps: list[Step] = [
            Put(THING, Thing(id=id, owner=name, email=id)),
            Put(ORDER, Order(number=id)),
            Add(THING, f"{name}-{thread}-0", "count", 1),
        ]
        outcome = drive(face.commit(steps, [Event(code="stormed", at=1, subject=id)]))
        if not outcome.done:
            raise AssertionError(outcome)
        os.write(1, f"{thread} {number}\n".encode())
        drive(face.append([Event(code="blew", at=1, subject=id)]))
        number += 1


def main(path: str, name: str, threads: int, commits: int) -> None:
    """Storm from several threads."""
    store = opened(path)
    os.write(1, b"open\n")
    face = store.driven()
    crowd = [threading.Thread(target=storm, args=(face, name, number, commits)) for number in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
