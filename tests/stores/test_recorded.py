"""Counters in every records store keep the promises of counters."""

from __future__ import annotations

import sys
from pathlib import Path
from secrets import token_bytes
from subprocess import PIPE, Popen
from typing import Any

import pytest

from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Outcome
from garrison.stores.recorded import COUNTS, RecordCounters
from garrison.testing import ManualClock
from tests.stores.storm import surroundings

CHAIN = b"k" * 32


_PROCESS = """
import sys
from secrets import token_bytes
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.recorded import COUNTS, RecordCounters
from garrison.stores.sqlite.store import SqliteStore

clock = SystemClock()
store = SqliteStore(sys.argv[1], clock, [COUNTS], b"k" * 32)
counters = RecordCounters(store.driven(), clock, token_bytes)
asks = [Ask("all", parse(limit)) for limit in sys.argv[2:]]
print("ready", flush=True)
sys.stdin.readline()
print(sum(all(verdict.allowed for verdict in drive(counters.take(asks))) for _ in range(60)))
store.close()
"""


@pytest.mark.parametrize("limits", [("100/d",), ("at most 100 in 1d", "1000/d"), ("100 per calendar month",)])
def test_processes_together_pass_exactly_the_limit(tmp_path: Path, limits: tuple[str, ...]) -> None:
    """Three that ask 60 times each, at once; nobody is refused for being in another's way."""
    path = str(tmp_path / "x.db")
    command = [sys.executable, "-c", _PROCESS, path, *limits]
    crowd = [Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=surroundings()) for _ in range(3)]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert sum(int(process.communicate(timeout=60)[0]) for process in crowd) == 100


def test_what_is_stored_names_nobody_by_more_than_the_subject(tmp_path: Path) -> None:
    """And goes by itself once it is as good as new."""
    clock = ManualClock()
    store = MemoryRecords(clock, CHAIN)
    counters = RecordCounters(store.driven(), clock, token_bytes)
    long = Ask("x" * 5_000, parse("2/s"))
    drive(counters.take([long]))

    (row,) = drive(store.driven().find(COUNTS, "", ""))
    assert max(len(row.id), len(row.subject)) <= 200
    clock.advance(row.until - clock.wall())
    assert drive(store.driven().sweep()) == 1
    assert drive(counters.take([long, long]))[1].remaining == 0


class _Overtaken:
    """Records in which somebody else is always faster."""

    def __init__(self, face: Any) -> None:
        self.face = face

    def __getattr__(self, name: str) -> Any:
        return getattr(self.face, name)

    async def commit(self, steps: Any, events: Any = ()) -> Outcome:
        """Lose the race."""
        return Outcome(done=False, failed=0, condition="version")


def test_a_step_that_is_overtaken_for_ever_is_an_error_and_no_verdict() -> None:
    """To let it pass would be a way around the limit, to refuse it would blame the caller."""
    clock = ManualClock()
    counters = RecordCounters(_Overtaken(MemoryRecords(clock, CHAIN).driven()), clock, token_bytes)

    with pytest.raises(StoreError, match="counters"):
        drive(counters.take([Ask("s", parse("1/s"))]))
