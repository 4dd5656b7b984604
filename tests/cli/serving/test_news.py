"""What the command line ends, a running server refuses within a second; a changed file is in force within two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.conftest import MAIN, Cli
from tests.cli.serving.world import Answer, Served, served

REVOKED = 1.0
CHANGED = 2.0
SLACK = 1.0
"""Seconds that a busy machine may add; the bounds themselves are constants of the code."""


@pytest.fixture
def main(policy: Path) -> Path:
    """A FastAPI application without a guard, beside the policy, whose limits let a test ask as fast as it can."""
    Path("main.py").write_text(MAIN, "utf-8")
    policy.write_text(policy.read_text("utf-8").replace("burst 500", "burst 1000000"), "utf-8")
    return policy


def _until(done: Callable[[], bool], bound: float) -> bool:
    """Ask again and again until it is so, or the time is up."""
    end = monotonic() + bound + SLACK
    while not done():
        if monotonic() > end:
            return False
    return True


def _login(server: Served) -> str:
    admin, _ = server.told["people"]
    body = json.dumps({"login": "admin", "password": admin["password"]}).encode()
    return str(server.ask("POST", "/auth/login", body, content_type="application/json").json["token"])


def test_a_key_that_the_command_line_revokes(main: Path, cli: Cli) -> None:
    with served() as server:
        key = server.told["people"][1]["key"]
        assert server.ask("GET", "/notes", X_API_Key=key).status == 200

        cli("keys", "revoke", key)

        assert _until(lambda: server.ask("GET", "/notes", X_API_Key=key).status == 401, REVOKED)


def test_a_file_that_is_replaced(main: Path) -> None:
    with served() as server:
        assert server.ask("GET", "/health").status == 200
        new = main.with_suffix(".new")
        new.write_text(main.read_text("utf-8").replace('"GET /health"', '"GET /healthy"'), "utf-8")

        new.replace(main)

        assert _until(lambda: server.ask("GET", "/health").status == 404, CHANGED)


def test_a_file_that_is_broken_changes_nothing(main: Path) -> None:
    with served() as server:
        main.write_text(main.read_text("utf-8") + "\nwrong = 1\n", "utf-8")

        assert "the old one stays in force" in _errors(server)
        assert server.ask("GET", "/health").status == 200


def test_a_user_that_the_command_line_disables(main: Path, cli: Cli) -> None:
    """What they hold is refused in the running server: password, token, refresh token and key."""
    with served() as server:
        held = _Held(server, server.told["people"][1])
        assert [held.key(), held.token(), held.refresh(), held.login()] == [200, 200, 200, 200]

        cli("users", "disable", held.name)
        # Asked in the store each time, so at once; and once, since refused logins are throttled.
        assert [held.refresh(), held.login()] == [401, 401]
        assert _until(lambda: [held.key(), held.token()] == [401, 401], REVOKED)

        cli("users", "enable", held.name)
        # The key is good again; what a login had given is not, and a new login is.
        assert _until(lambda: held.key() == 200, REVOKED)
        assert [held.token(), held.refresh(), held.login()] == [401, 401, 200]


def test_rights_that_the_command_line_takes_away(main: Path, cli: Cli) -> None:
    """Of a key, too: it carries what it was granted and its owner still may."""
    with served() as server:
        held = _Held(server, server.told["people"][1])

        cli("users", "scopes", held.name, "--none")
        assert _until(lambda: [held.token(), held.key()] == [403, 403], REVOKED)

        cli("users", "scopes", held.name, "notes:read")
        assert _until(lambda: [held.token(), held.key()] == [200, 200], REVOKED)


def test_a_network_that_the_command_line_blocks(main: Path, cli: Cli) -> None:
    with served() as server:
        assert server.ask("GET", "/health").status == 200

        cli("blocks", "add", "127.0.0.0/8", "--for", "1h")
        assert _until(lambda: server.ask("GET", "/health").status == 429, REVOKED)

        cli("blocks", "lift", "127.0.0.0/8")
        assert _until(lambda: server.ask("GET", "/health").status == 200, REVOKED)


class _Held:
    """What a user of a running server holds."""

    def __init__(self, server: Served, person: dict[str, str]) -> None:
        self.server = server
        self.name = person["username"]
        self._person = person
        login = self._post("/auth/login", login=self.name, password=person["password"]).json
        self._token, self._refresh = login["token"], login["refresh_token"]

    def key(self) -> int:
        return self.server.ask("GET", "/notes", X_API_Key=self._person["key"]).status

    def token(self) -> int:
        return self.server.ask("GET", "/notes", Authorization=f"Bearer {self._token}").status

    def refresh(self) -> int:
        answer = self._post("/auth/refresh", refresh_token=self._refresh)
        if answer.status == 200:
            self._refresh = answer.json["refresh_token"]
        return answer.status

    def login(self) -> int:
        return self._post("/auth/login", login=self.name, password=self._person["password"]).status

    def _post(self, path: str, **body: str) -> Answer:
        return self.server.ask("POST", path, json.dumps(body).encode(), content_type="application/json")


def _errors(server: Served) -> str:
    """Read what the server says until it speaks of the policy."""
    line = server.error_line()
    while line and "in force" not in line:
        line += server.error_line()
    return line


def test_a_login_that_is_ended(main: Path) -> None:
    with served() as server:
        token = _login(server)
        assert server.ask("GET", "/me", Authorization=f"Bearer {token}").status == 200

        assert server.ask("POST", "/auth/logout", Authorization=f"Bearer {token}").status == 200

        assert server.ask("GET", "/me", Authorization=f"Bearer {token}").status == 401
