"""Attack: go on with what one holds after the account was disabled, or has lost its rights."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from garrison.accounts.change import set_active, set_scopes
from garrison.accounts.people import by_operator
from garrison.accounts.user import User
from garrison.guard.drive import drive
from garrison.stores.news import POLL
from tests.accounts.api import JSON, Api, sqlite
from tests.accounts.world import PASSWORD, THERE

TIMES = 4
"""More than any memory needs to begin to remember."""


class Person:
    """Somebody with everything that an account can be given."""

    def __init__(self, api: Api) -> None:
        made = api.register("ada").json
        self.id = made["user"]["id"]
        self.token, self.refresh = made["token"], made["refresh_token"]
        order = {"name": "laptop", "scopes": ["tasks:read"]}
        self.key = api.send("POST", "/keys", order, token=self.token).json["key"]

    def key_field(self) -> tuple[bytes, bytes]:
        return b"x-api-key", self.key.encode()


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two processes over one store: the operator's, and one that serves and remembers."""
    monkeypatch.chdir(tmp_path)
    serving = Api(sqlite(tmp_path))
    operator = Api(sqlite(tmp_path), serving.clock)
    serving.poll()
    yield serving, operator
    for api in (serving, operator):
        api.runtime.close()


def change(api: Api, id: str, *, active: bool | None = None, scopes: list[str] | None = None) -> None:
    service = api.runtime.driven_side.accounts
    assert service is not None
    by = by_operator(api.clock.wall())
    if active is not None:
        assert isinstance(drive(set_active(service, id, by, active=active)), User)
    if scopes is not None:
        assert isinstance(drive(set_scopes(service, id, scopes, by)), User)


def hear(api: Api) -> None:
    """Let the time of one poll pass: less than half a second."""
    api.clock.advance(POLL)
    api.poll()


def statuses(api: Api, ada: Person) -> list[int]:
    """Present the token and the key, each as often as it takes to be remembered."""
    seen = {api.send("GET", "/tasks", token=ada.token).status for _ in range(TIMES)}
    seen_key = {api.send("GET", "/tasks", None, ada.key_field()).status for _ in range(TIMES)}
    assert len(seen) == len(seen_key) == 1
    return [*seen, *seen_key]


def test_a_hot_token_and_a_hot_key_die_in_the_other_process(processes: tuple[Api, Api]) -> None:
    serving, operator = processes
    ada = Person(serving)
    assert statuses(serving, ada) == [200, 200]

    change(operator, ada.id, active=False)
    hear(serving)

    assert statuses(serving, ada) == [401, 401]


def test_the_awaited_side_hears_it_too(processes: tuple[Api, Api], runner: asyncio.Runner) -> None:
    serving, operator = processes
    ada = Person(serving)

    async def refreshed(token: str) -> int:
        return (await serving.sending("POST", "/auth/refresh", {"refresh_token": token})).status

    change(operator, ada.id, active=False)

    assert runner.run(refreshed(ada.refresh)) == 401


def test_a_refresh_token_buys_nothing_even_before_the_news(processes: tuple[Api, Api]) -> None:
    """The account is looked at in the store, each time."""
    serving, operator = processes
    ada = Person(serving)

    change(operator, ada.id, active=False)

    assert serving.send("POST", "/auth/refresh", {"refresh_token": ada.refresh}).status == 401
    assert serving.login("ada").status == 401


def test_a_session_does_not_come_back_with_the_account(processes: tuple[Api, Api]) -> None:
    """Else whoever was thrown out with a stolen token waits until the owner is let in again."""
    serving, operator = processes
    ada = Person(serving)
    change(operator, ada.id, active=False)
    change(operator, ada.id, active=True)
    hear(serving)

    assert serving.send("POST", "/auth/refresh", {"refresh_token": ada.refresh}).status == 401
    assert statuses(serving, ada) == [401, 200]
    assert serving.login("ada").status == 200


def test_nothing_is_made_with_a_token_of_a_disabled_account(processes: tuple[Api, Api]) -> None:
    """No key to come back with, while the news is still on its way."""
    serving, operator = processes
    ada = Person(serving)
    change(operator, ada.id, active=False)

    made = serving.send("POST", "/keys", {"name": "later", "scopes": ["tasks:read"]}, token=ada.token)
    hear(serving)

    if made.status == 201:
        assert serving.send("GET", "/tasks", None, (b"x-api-key", made.json["key"].encode())).status == 401
    assert serving.send("POST", "/keys", {"name": "later", "scopes": ["tasks:read"]}, token=ada.token).status == 401


def test_the_owner_of_a_known_device_is_told_what_a_stranger_is_told(processes: tuple[Api, Api]) -> None:
    """That an account is disabled is nobody's business but the operator's."""
    serving, operator = processes
    ada = Person(serving)
    change(operator, ada.id, active=False)

    right, wrong = serving.login("ada", PASSWORD, peer=THERE), serving.login("ada", PASSWORD + "x", peer=THERE)

    assert right.seen == wrong.seen


def test_a_right_that_the_owner_loses_the_key_loses(processes: tuple[Api, Api]) -> None:
    serving, operator = processes
    ada = Person(serving)
    assert statuses(serving, ada) == [200, 200]

    change(operator, ada.id, scopes=["tasks:write"])
    hear(serving)

    assert statuses(serving, ada) == [403, 403]


def test_a_right_that_the_owner_gains_the_key_does_not(processes: tuple[Api, Api]) -> None:
    """It carries what it was granted, and no more for ever."""
    serving, operator = processes
    ada = Person(serving)
    change(operator, ada.id, scopes=["tasks:read", "admin:*"])
    hear(serving)

    me = serving.send("GET", "/me", None, ada.key_field())

    assert me.json["scopes"] == ["tasks:read"]


def test_a_registration_does_not_bring_a_disabled_name_back(processes: tuple[Api, Api]) -> None:
    serving, operator = processes
    ada = Person(serving)
    change(operator, ada.id, active=False)

    body = {"username": "ADA", "email": "other@example.org", "password": PASSWORD}

    assert serving.send("POST", "/auth/register", body, kind=JSON).status == 409
