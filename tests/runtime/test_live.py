"""A policy that changes while it serves: whole or not at all, seen by everybody within two seconds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from garrison import Garrison, Policy, PolicyError
from garrison.guard.drive import drive
from garrison.policy.schema import Cors
from garrison.runtime.compose import Runtime
from garrison.stores.protocols import Query
from tests.adapters.world import at_work, key_of
from tests.journeys.places import AsgiPlace

HEAD = 'service = "notes"\nhosts = ["api.example.com"]\n[routes]\n'
OPEN = HEAD + '"GET /a" = { public = true, limit = "99/s per address" }\n'
MORE = OPEN + '"GET /b" = { public = true, limit = "99/s per address" }\n'
WRONG = OPEN.replace("99/s", "99/fortnight")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy file in an empty folder, in development."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    path = tmp_path / "garrison.toml"
    path.write_text(OPEN)
    return path


@pytest.fixture
def runtime(file: Path) -> Iterator[Runtime]:
    """The file at work; nothing is looked at unless a test says so."""
    with at_work(file) as runtime:
        yield runtime


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer anything."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _replace(file: Path, text: str) -> None:
    """Replace the file the way editors and orchestrators do: by rename."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


def _codes(runtime: Runtime) -> list[tuple[str, str]]:
    runtime.flush(last=True)
    found = drive(runtime.driven_side.face.read(Query()))
    return [(sealed.event.code, str(sealed.event.details.get("changes", sealed.event.reason))) for sealed in found]


def test_a_changed_file_is_in_force_after_the_next_look(file: Path, runtime: Runtime, runner: asyncio.Runner) -> None:
    place = AsgiPlace(Garrison(app, runtime=runtime), runner)
    assert place.call("GET", "/b").status == 404

    _replace(file, MORE)
    runtime.look()

    assert place.call("GET", "/b").status == 200
    assert runtime.driven.force.plans.version == runtime.awaited.force.plans.version
    (code, changes), *_ = _codes(runtime)[-1:]
    assert code == "policy_changed"
    assert 'routes."GET /b"' in changes


def test_a_broken_file_changes_nothing_and_is_recorded(file: Path, runtime: Runtime, runner: asyncio.Runner) -> None:
    place = AsgiPlace(Garrison(app, runtime=runtime), runner)
    before = runtime.awaited.force

    _replace(file, WRONG)
    runtime.look()

    assert runtime.awaited.force is before
    assert place.call("GET", "/a").status == 200
    assert _codes(runtime)[-1][0] == "policy_refused"


def test_a_file_that_is_gone_changes_nothing(file: Path, runtime: Runtime) -> None:
    before = runtime.awaited.force

    file.unlink()
    runtime.look()

    assert runtime.awaited.force is before


def test_replace_tells_every_problem_and_keeps_the_old(runtime: Runtime) -> None:
    before = runtime.driven.force

    with pytest.raises(PolicyError):
        runtime.replace(_with_dangerous(runtime))

    assert runtime.driven.force is before


def _with_dangerous(runtime: Runtime) -> Policy:
    cors = {"web": Cors(origins=("*",), credentials=True)}
    return replace(runtime.policy, cors=cors)


def test_a_key_stays_good_and_a_spent_limit_spent(file: Path, runtime: Runtime, runner: asyncio.Runner) -> None:
    private = 'service = "notes"\nhosts = ["api.example.com"]\n[routes]\n"GET /a" = { limit = "1/h per principal" }\n'
    _replace(file, private)
    runtime.look()
    place = AsgiPlace(Garrison(app, runtime=runtime), runner)
    key = key_of(runtime, "ada", "x")
    assert place.call("GET", "/a", [key]).status == 200

    _replace(file, private + '"GET /b" = {}\n')
    runtime.look()

    assert place.call("GET", "/a", [key]).status == 429
    assert place.call("GET", "/b", [key]).status == 200
