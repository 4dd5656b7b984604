"""A process that stops serving may begin again: an application's lifespan comes more than once, in tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from garrison.runtime.process.workers import WORKERS
from garrison.testing import ManualClock


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.chdir(tmp_path)
    text = '[stores]\nrecords = "sqlite:var/g.db"\n[routes]\n"GET /a" = { scopes = ["a:read"] }\n'
    policy = load(text, "development")
    return compose(policy, clock=ManualClock())


def workers(runtime: Runtime) -> int:
    return len(drive(runtime.driven_side.face.find(WORKERS, "", "")))


def test_it_begins_again_after_it_stopped(runtime: Runtime) -> None:
    for _ in range(2):
        runtime.start()
        assert runtime.serving
        assert workers(runtime) == 1
        runtime.stop()
        assert not runtime.serving
        assert workers(runtime) == 0

    runtime.close()


def test_after_close_there_is_nothing_to_begin(runtime: Runtime) -> None:
    runtime.start()
    runtime.close()
    runtime.stop()

    with pytest.raises(StoreError):
        runtime.start()
