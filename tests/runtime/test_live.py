"""A policy that changes while it serves: whole or not at all, seen by everybody within two seconds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from garrison import Garrison, Policy, PolicyError
from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.model.http.request import Request
from garrison.model.units import HOUR
from garrison.policy.schema import Accounts, Audit, Cors, Jwt, Route
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
    return [(sealed.event.code, " ".join(map(str, sealed.event.details.values()))) for sealed in found]


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


def test_a_change_under_way_does_not_hold_up_the_end(file: Path, runtime: Runtime) -> None:
    """The thread that brings it in and whoever stops that thread must not wait for each other."""
    runtime.start()
    file.unlink()
    os.mkfifo(file)

    # Opens once the thread of the jobs reads, and what is written last lets it go on to the exchange.
    with file.open("w") as writing:
        ending = Thread(target=runtime.stop, daemon=True)
        ending.start()
        assert runtime._jobs._stop.wait(20)
        writing.write(MORE)
    ending.join(20)

    assert not ending.is_alive()
    assert not runtime.serving


def test_refused_pages_are_counted_on_through_a_change(runtime: Runtime, runner: asyncio.Runner) -> None:
    """By reason, with the origins seen last; both sides of a process count together."""
    web = {"web": Cors(origins=("https://app.example.com",), methods=("GET",))}
    place = AsgiPlace(Garrison(app, runtime=runtime), runner)
    wanted = [("origin", "https://evil.example"), ("access-control-request-method", "GET")]
    for max_age in ("5m", "6m"):
        cors = {name: replace(each, max_age=max_age) for name, each in web.items()}
        runtime.replace(replace(runtime.policy, cors=cors, defaults=replace(runtime.policy.defaults, cors="web")))
        assert place.call("OPTIONS", "/a", wanted).status == 403

    told = runtime.health()["cors"]["web"]

    assert told["refused"] == {"origin": 2}
    assert told["recent"] == [{"origin": "https://evil.example", "reason": "origin"}] * 2


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


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("service", MORE.replace('"notes"', '"other"')),
        ("secrets.root", 'secrets = { root = "env:OTHER" }\n' + MORE),
        ("stores.records", 'stores = { records = "sqlite:other.db" }\n' + MORE),
    ],
)
def test_what_takes_a_restart_is_refused_with_all_that_came_beside_it(
    file: Path, runtime: Runtime, caplog: pytest.LogCaptureFixture, field: str, text: str
) -> None:
    """Half of a file in force would be a policy that nobody has read."""
    before = runtime.driven.force

    _replace(file, text)
    runtime.look()

    assert runtime.driven.force is before
    assert f"GP072 {field}" in caplog.text
    code, problems = _codes(runtime)[-1]
    assert (code, field in problems) == ("policy_refused", True)


def test_what_was_refused_is_taken_once_it_no_longer_takes_a_restart(file: Path, runtime: Runtime) -> None:
    _replace(file, MORE.replace('"notes"', '"other"'))
    runtime.look()
    _replace(file, MORE)
    runtime.look()

    assert [code for code, _ in _codes(runtime)] == ["policy_refused", "policy_changed"]


def test_a_policy_that_signs_differently_can_sign_at_once(runtime: Runtime) -> None:
    """The job that moves keys on comes by once a minute; nobody could log in until then."""
    _ = runtime.awaited_side

    runtime.replace(replace(runtime.policy, jwt=Jwt(algorithm="ES256")))

    for side in (runtime.driven_side, runtime.awaited_side):
        token = side.trust.issuer.issue("ada", runtime.clock.wall(), os.urandom).token
        claims = drive(runtime.driven_side.trust.checker.check(token, runtime.clock.wall(), runtime.clock.monotonic()))
        assert claims.sub == "ada"


def test_a_store_that_cannot_keep_the_new_key_leaves_both_sides_as_they_were(runtime: Runtime) -> None:
    """Of two sides, one would else go by the new policy and one by the old."""
    forces = runtime.driven.force, runtime.awaited.force
    runtime.store.close()

    with pytest.raises(StoreError):
        runtime.replace(replace(runtime.policy, jwt=Jwt(algorithm="ES256")))

    assert (runtime.driven.force, runtime.awaited.force) == forces
    assert runtime.policy.jwt.algorithm == "HS256"


def test_hashes_are_counted_by_the_figures_of_the_new_policy(runtime: Runtime) -> None:
    runtime.replace(replace(runtime.policy, accounts=Accounts(hash_threads=7)))

    assert runtime.hash_pool.threads == 7


@pytest.mark.parametrize("jwt", [Jwt(access="48h"), Jwt(access="24h", leeway="24h")])
def test_the_end_of_a_session_is_remembered_for_as_long_as_the_new_tokens_live(runtime: Runtime, jwt: Jwt) -> None:
    runtime.replace(replace(runtime.policy, jwt=jwt))
    now = runtime.clock.wall()
    ending = runtime.revoked.session("notes", "s1", now, os.urandom)

    assert ending.record.until - now == 48 * HOUR


def test_refusals_are_recorded_by_the_figure_of_the_new_policy(runtime: Runtime) -> None:
    runtime.replace(replace(runtime.policy, audit=Audit(refusals_per_minute=2)))

    for _ in range(5):
        runtime.record.add(Event(code="authz_fail", at=runtime.clock.wall(), outcome="refused", actor="ada"))
    runtime.flush(last=True)

    found = drive(runtime.driven_side.face.read(Query(code="authz_fail")))
    assert [sealed.event.count for sealed in found] == [1, 1, 3]


def test_a_policy_in_force_is_recorded_whatever_the_old_one_leaves_behind(runtime: Runtime) -> None:
    """A change that is in force while the log says the old policy stays is one that nobody looks for."""
    policy = replace(runtime.policy, routes={**runtime.policy.routes, "GET /k": Route(credentials=("key",))})
    runtime.replace(policy)
    name, key = key_of(runtime, "ada")
    lines = [(b"host", b"api.example.com"), (name.encode(), key.encode())]
    assert drive(runtime.driven.decide(Request("GET", "/k", lines, peer="192.0.2.1"))).answer is None
    runtime.store.close()

    changes = runtime.replace(replace(policy, defaults=replace(policy.defaults, limit=("9/s per address",))))

    assert changes
    assert runtime.driven.force.plans.policy.defaults.limit == ("9/s per address",)
    assert [event.code for event in runtime.record._waiting][-1] == "policy_changed"
