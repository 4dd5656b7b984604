"""Tests of a guarded application, beside its running server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from garrison.errors import PolicyError
from garrison.guard.drive import drive
from garrison.runtime.process.state import STATE
from garrison.runtime.process.workers import WORKERS, Worker
from garrison.stores.protocols import Put
from garrison.testing import own_state
from tests.adapters.world import at_work

POLICY = """
service = "notes"
[stores]
records = "sqlite:var/garrison.db"
[routes]
"GET /a" = { public = true, limit = "9/s per address" }
[environments.production]
hosts = ["api.example.com"]
secrets = { root = "file:root.key" }
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose records a living server has announced itself in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    monkeypatch.delenv(STATE, raising=False)
    policy = tmp_path / "garrison.toml"
    policy.write_text(POLICY, "utf-8")
    with at_work(policy) as runtime:
        # The process that runs these tests' own parent is alive, and is not this one.
        now, machine = runtime.clock.wall(), os.uname().nodename
        server = Worker(id="server", machine=machine, process=os.getppid(), seen=now, until=now + 10**9)
        assert drive(runtime.driven_side.face.commit([Put(WORKERS, server)])).done
    return policy


def test_with_a_state_of_their_own_tests_run_beside_the_server(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("var").iterdir()}
    with at_work(beside) as runtime, pytest.raises(PolicyError, match=r"GP900.*own_state"):
        runtime.start()
    monkeypatch.setenv(STATE, "")

    folder = own_state()
    with at_work(beside) as runtime:
        runtime.start()
        assert drive(runtime.driven_side.face.find(WORKERS, "", ""))

    assert {path.name for path in (folder / "var").iterdir()} >= {"garrison.db", "root.key"}
    assert folder.stat().st_mode & 0o077 == 0
    assert before[Path("var/root.key")] == Path("var/root.key").stat().st_mtime_ns


def test_two_processes_of_tests_do_not_meet(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners start their workers with the environment that the first one made."""
    monkeypatch.setenv(STATE, "")

    assert own_state() != own_state()


def test_the_folder_goes_with_its_process(beside: Path) -> None:
    """Else every run would leave a root key behind."""
    code = "from garrison.testing import own_state; folder = own_state(); (folder / 'x').touch(); print(folder)"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not Path(ran.stdout.strip()).exists()


def test_in_production_nothing_moves(beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable left behind would begin with empty records: every revoked key and session would be forgotten."""
    Path("root.key").write_text(os.urandom(32).hex(), "ascii")
    Path("root.key").chmod(0o600)
    monkeypatch.setenv(STATE, str(tmp_path / "elsewhere"))

    monkeypatch.setenv("GARRISON_ENV", "production")
    beside.write_text(POLICY.replace("var/garrison.db", "records.db"), "utf-8")

    with at_work(beside):
        pass

    assert Path("records.db").exists()
    assert not (tmp_path / "elsewhere").exists()
