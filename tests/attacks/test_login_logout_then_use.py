"""Attack: go on with a token after its owner has logged out, here or at another worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from garrison.accounts.change import end_everything, set_active, set_password
from garrison.accounts.people import by_operator
from garrison.guard.drive import drive
from tests.accounts.api import Api, sqlite

CHEAPER: dict[str, Any] = {"hash_memory": 7, "hash_passes": 5}


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Api]:
    """Two processes of one deployment, both with fresh news."""
    monkeypatch.chdir(tmp_path)
    first = Api(sqlite(tmp_path), **CHEAPER)
    workers = [first, Api(sqlite(tmp_path), first.clock, **CHEAPER)]
    for worker in workers:
        worker.poll()
    return workers


def test_the_worker_that_logs_out_refuses_at_once(workers: list[Api]) -> None:
    here = workers[0]
    token = here.register("ada").json["token"]
    assert here.passes(token)

    assert here.send("POST", "/auth/logout", token=token).status == 200

    assert not here.passes(token)
    assert here.send("POST", "/auth/logout", token=token).status == 401


@pytest.mark.parametrize("ending", ["logout", "end_everything", "set_active", "set_password"])
def test_every_other_worker_refuses_within_a_second(workers: list[Api], ending: str) -> None:
    """By news each 0.4 s; and where no news came for a second, by asking the store."""
    here, there = workers
    tokens = here.register("ada").json
    assert there.passes(tokens["token"])
    service, id, by = here.runtime.driven_side.accounts, tokens["user"]["id"], by_operator(here.clock.wall())
    assert service is not None

    if ending == "logout":
        here.send("POST", "/auth/logout", token=tokens["token"])
    elif ending == "end_everything":
        drive(end_everything(service, id, by))
    elif ending == "set_active":
        drive(set_active(service, id, by, active=False))
    else:
        drive(set_password(service, id, "green armchair 17", by))

    here.clock.advance(1_000_000)
    assert not there.passes(tokens["token"])
    assert there.send("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401


def test_news_alone_is_enough(workers: list[Api]) -> None:
    here, there = workers
    token = here.register("ada").json["token"]
    assert there.passes(token)
    here.send("POST", "/auth/logout", token=token)

    here.clock.advance(400_000)
    there.poll()

    assert not there.passes(token)


def test_a_restart_does_not_revive_a_session(workers: list[Api], tmp_path: Path) -> None:
    here = workers[0]
    token = here.register("ada").json["token"]
    here.send("POST", "/auth/logout", token=token)
    for worker in workers:
        worker.runtime.close()

    again = Api(sqlite(tmp_path), here.clock, **CHEAPER)

    assert not again.passes(token)
    again.runtime.close()


def test_a_key_of_a_disabled_account_is_refused_too(workers: list[Api]) -> None:
    here, there = workers
    tokens = here.register("ada").json
    order = {"name": "laptop", "scopes": ["tasks:read"]}
    key = here.send("POST", "/keys", order, token=tokens["token"]).json["key"]
    assert there.send("GET", "/tasks", None, (b"x-api-key", key.encode())).status == 200
    service = here.runtime.driven_side.accounts
    assert service is not None

    drive(set_active(service, tokens["user"]["id"], by_operator(here.clock.wall()), active=False))

    here.clock.advance(1_000_000)
    for worker in workers:
        assert worker.send("GET", "/tasks", None, (b"x-api-key", key.encode())).status == 401


def test_an_old_login_makes_no_keys(workers: list[Api]) -> None:
    """Nor does one that was refreshed: `fresh` counts from the password."""
    here = workers[0]
    tokens = here.register("ada").json
    here.clock.advance(5 * 60_000_000)
    here.poll()
    renewed = here.send("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}).json["token"]

    for token in (tokens["token"], renewed):
        reply = here.send("POST", "/keys", {"name": "laptop"}, token=token)
        assert (reply.status, reply.code) == (401, "freshness_required")
    assert here.send("POST", "/keys", {"name": "laptop"}, token=here.login("ada").json["token"]).status == 201
