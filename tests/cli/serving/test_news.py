"""What the command line ends, a running server refuses within a second; a changed file is in force within two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.conftest import MAIN, Cli
from tests.cli.serving.world import Served, served

REVOKED = 1.0
CHANGED = 2.0
SLACK = 1.0
"""Seconds that a busy machine may add; the bounds themselves are constants of the code."""


@pytest.fixture
def main(policy: Path) -> Path:
    """A FastAPI application without a guard, beside the policy."""
    Path("main.py").write_text(MAIN, "utf-8")
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
