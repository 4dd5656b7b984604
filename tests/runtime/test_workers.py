"""Two processes that count in memory must not serve the same records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from garrison import PolicyError
from garrison.guard.drive import drive
from garrison.model.http.request import Request
from garrison.runtime.process.workers import WORKERS, Worker
from garrison.stores.protocols import Put
from tests.adapters.world import at_work

POLICY = """
service = "notes"
[stores]
records = "sqlite:records.db"
[routes]
"GET /a" = { public = true, limit = "9/s per address" }
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy in an empty folder, in development."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    path = tmp_path / "garrison.toml"
    path.write_text(POLICY)
    return path


_OTHER = """
import sys
from pathlib import Path
from garrison.runtime.compose import compose
runtime = compose(Path("garrison.toml"))
runtime.start()
print("serving", flush=True)
sys.stdin.readline()
runtime.close()
"""


def test_a_second_worker_refuses_to_start_and_says_what_mends_it(file: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "serving\n"
        with at_work(file) as runtime, pytest.raises(PolicyError, match=r"stores\.counters"):
            runtime.start()
    finally:
        other.communicate("end\n", timeout=20)
    with at_work(file) as runtime:
        runtime.start()
        assert runtime.serving


@pytest.mark.parametrize(("age", "starts"), [(4_000_000, True), (1_000_000, False)])
def test_a_worker_of_another_machine_counts_as_gone_when_it_is_silent(file: Path, age: int, *, starts: bool) -> None:
    with at_work(file) as runtime:
        now = runtime.clock.wall()
        worker = Worker(id="w", machine="elsewhere", process=1, seen=now - age, until=now + 60_000_000)
        drive(runtime.driven_side.face.commit([Put(WORKERS, worker)]))

        if starts:
            runtime.start()
        else:
            with pytest.raises(PolicyError):
                runtime.start()
        assert runtime.serving is starts


def test_a_worker_that_was_killed_does_not_block_the_next(file: Path) -> None:
    """Its process number answers to nobody."""
    other = subprocess.Popen([sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "serving\n"
    other.kill()
    other.communicate(timeout=20)

    with at_work(file) as runtime:
        runtime.start()
        assert runtime.serving


def test_counters_and_records_in_memory_are_alone_anyway(file: Path) -> None:
    file.write_text(POLICY.replace("sqlite:records.db", "memory:"))

    with at_work(file) as one, at_work(file) as other:
        one.start()
        other.start()

        assert one.serving
        assert other.serving


def test_workers_that_count_in_the_records_store_serve_together(file: Path) -> None:
    """And as one: nobody is let through twice for asking two of them."""
    file.write_text(
        POLICY.replace('records.db"', 'records.db"\ncounters = "records:"').replace("9/s", "at most 9 in 1h")
    )
    with at_work(file) as first, at_work(file) as second:
        for worker in (first, second):
            worker.start()
        request = Request("GET", "/a", [(b"host", b"localhost")], raw_path=b"/a", peer="192.0.2.1")
        decisions = [drive(worker.driven.decide(request)) for _ in range(6) for worker in (first, second)]

    assert [decision.answer is None for decision in decisions] == [True] * 9 + [False] * 3
    assert decisions[8].verdicts[0].remaining == 0
