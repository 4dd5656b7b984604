"""`garrison users` makes people who can log in, and invites that work once."""

from __future__ import annotations

import io
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from garrison.adapters.wsgi.middleware import GarrisonWSGI
from garrison.cli.commands.users import register_line
from garrison.policy.load import load
from tests.cli.conftest import Cli


def _post(guard: GarrisonWSGI, path: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Call an endpoint of Garrison's own behind a guard."""
    data, status = msgspec.json.encode(body), 0

    def start(line: str, headers: object, exc: object = None) -> Any:
        nonlocal status
        status = int(line[:3])

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
    }
    answer = msgspec.json.decode(b"".join(guard(environ, start)))
    return status, answer


def test_a_drawn_password_is_printed_once_and_logs_in(cli: Cli, policy: Path) -> None:
    ran = cli("users", "create", "ada", "--email", "ada@example.com", "--generate")
    password = ran.out.splitlines()[-1]
    listed = cli("users", "list")
    guard = GarrisonWSGI(lambda environ, start: [], policy)
    status, answer = _post(guard, "/auth/login", {"login": "ada", "password": password})
    guard.runtime.close()

    assert (status, "token" in answer) == (200, True)
    assert password not in listed.out
    assert "ada@example.com" in listed.out
    assert "notes:read" in listed.out


def test_a_user_that_cannot_be_read_is_named_and_the_others_are_listed(cli: Cli, policy: Path) -> None:
    ids = sorted(_made(cli, name)["id"] for name in ("ada", "bob", "eve"))
    with sqlite3.connect("var/garrison.db") as connection:
        connection.execute("UPDATE user SET body = '{' WHERE key = ?", (ids[1],))
    connection.close()

    ran = cli("users", "list", "--json")

    assert [user["id"] for user in ran.json] == [ids[0], ids[2]]
    assert f"{ids[1]} cannot be read" in ran.err


def _made(cli: Cli, name: str) -> dict[str, Any]:
    made: dict[str, Any] = cli("users", "create", name, "--email", f"{name}@example.com", "--generate", "--json").json
    return made


def test_a_password_comes_through_standard_input(cli: Cli, policy: Path) -> None:
    words = ("users", "create", "ada", "--email", "ada@example.com", "--password-stdin", "--json")
    told = cli(*words, input="correct horse battery staple\n").json

    assert told["username"] == "ada"
    assert "password" not in told


def test_a_password_is_asked_for_twice_and_never_shown(folder: Path, policy: Path) -> None:
    """On a terminal of its own."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "garrison", "users", "create", "ada", "--email", "ada@example.com"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    for prompt in (b"Password: ", b"confirmation: "):
        while not shown.endswith(prompt):
            shown += os.read(ours, 1)
        os.write(ours, b"correct horse battery staple\n")
    try:
        while piece := os.read(ours, 1_000):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)

    assert done.wait(60) == 0
    assert b"may notes:read" in shown
    assert b"correct" not in shown


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--generate", "--email", "nothing"], 1, "email"),
        (["--generate", "--email", "x@example.com", "--scopes", "bad scope!\\"], 2, "no scope"),
        (["--email", "x@example.com"], 2, "--password-stdin or --generate"),
        (["--email", "x@example.com", "--password-stdin"], 1, "password"),
    ],
)
def test_what_is_wrong_with_a_user_is_told(cli: Cli, policy: Path, words: list[str], code: int, told: str) -> None:
    assert told in cli("users", "create", "ada", *words, input="short\n", code=code).err
    assert cli("users", "list", "--json").json == []


def test_a_name_that_is_taken(cli: Cli, policy: Path) -> None:
    cli("users", "create", "ada", "--email", "ada@example.com", "--generate")

    assert "user of this name" in cli("users", "create", "ADA", "--email", "b@example.com", "--generate", code=1).err
    assert "with this address" in cli("users", "create", "bo_", "--email", "ADA@example.com", "--generate", code=1).err


def test_an_invite_makes_an_administrator_once(cli: Cli, policy: Path) -> None:
    policy.write_text(policy.read_text("utf-8").replace("[accounts]", "[accounts]\nregister = false"), "utf-8")
    ran = cli("users", "invite", "--admin", "--for", "1h")
    invite = ran.out.strip()
    person = {"username": "ada", "email": "ada@example.com", "password": "correct horse battery", "invite": invite}
    guard = GarrisonWSGI(lambda environ, start: [], policy)
    first, again = (_post(guard, "/auth/register", person | {"username": name}) for name in ("ada", "bob"))
    guard.runtime.close()

    assert (first[0], again[0]) == (201, 403)
    assert first[1]["user"]["scopes"] == ["admin:*", "notes:read"]
    assert invite in ran.err, "the line to paste holds it"
    assert "good until 20" in ran.err


def test_the_line_that_uses_an_invite_names_the_host_of_the_policy(policy: Path, cli: Cli) -> None:
    policy.write_text('hosts = ["api.example.com"]\n' + policy.read_text("utf-8"), "utf-8")
    told = cli("users", "invite", "--json").json

    assert told["curl"] == register_line(load(policy, "development"), told["invite"])
    assert told["curl"].startswith("curl -X POST https://api.example.com/auth/register ")
    assert told["scopes"] == ["notes:read"]


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.com", "user:{id}"])
def test_a_user_is_disabled_and_enabled_by_any_name(cli: Cli, policy: Path, name: str) -> None:
    made = _made(cli, "ada")
    name = name.format(**made)

    disabled = cli("users", "disable", name)
    assert disabled.out == f"ada (user:{made['id']}) is disabled\n"
    assert cli("users", "show", name, "--json").json["active"] is False
    assert "disabled" in cli("users", "list").out
    assert cli("users", "enable", name, "--json").json["active"] is True
    assert "active" in cli("users", "show", name).out
    told = [event["reason"] for event in _events(cli) if event["actor"] == "operator:console" and "reason" in event]
    assert told == ["user_disabled", "user_enabled"]


def test_a_bare_id_is_no_name(cli: Cli, policy: Path) -> None:
    """Somebody could register under the id of another, to be spared in their place or to have them shut out."""
    victim = _made(cli, "ada")
    twin = _made(cli, victim["id"])

    assert cli("users", "disable", victim["id"], "--json").json["id"] == twin["id"]
    assert cli("users", "show", f"user:{victim['id']}", "--json").json["active"] is True
    assert f"user:{victim['id']}" in cli("users", "list").out


def test_scopes_are_said_whole(cli: Cli, policy: Path) -> None:
    _made(cli, "ada")

    assert "may notes:list notes:read" in cli("users", "scopes", "ada", "notes:read,notes:list").out
    assert cli("users", "scopes", "ada", "notes:read", "--admin", "--json").json["scopes"] == ["admin:*", "notes:read"]
    assert cli("users", "scopes", "ada", "--none").out.endswith("may nothing\n")
    assert cli("users", "show", "ada", "--json").json["scopes"] == []
    assert [event["code"] for event in _events(cli)].count("authz_change") == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("scopes", "ada"), "--none"),
        (("scopes", "ada", "notes:read", "--none"), "--none"),
        (("scopes", "ada", "bad\\"), "no scope"),
        (("scopes", "eve", "notes:read"), "no user 'eve'"),
        (("disable", "eve"), "no user 'eve'"),
        (("enable", "user:nobody"), "no user 'user:nobody'"),
        (("show", "eve@example.com"), "no user"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Cli, policy: Path, words: tuple[str, ...], told: str) -> None:
    _made(cli, "ada")

    assert told in cli("users", *words, code=2).err
    assert cli("users", "show", "ada", "--json").json["scopes"] == ["notes:read"]


def test_what_a_user_holds_is_shown(cli: Cli, policy: Path) -> None:
    made = _made(cli, "ada")
    cli("keys", "create", "laptop", "--owner", "ada")

    shown = cli("users", "show", "ada")

    assert cli("users", "show", "ada", "--json").json["keys"] == 1
    assert f"user:{made['id']}" in shown.out
    assert "0 devices, 0 networks" in shown.out
    assert made["password"] not in shown.out


def _events(cli: Cli) -> list[Any]:
    return [msgspec.json.decode(line)["event"] for line in cli("audit", "export").out.splitlines()]


def test_without_accounts_there_are_no_users(cli: Cli, policy: Path) -> None:
    text = policy.read_text("utf-8").replace('[accounts]\nscopes = ["notes:read"]\n', "")
    policy.write_text(text, "utf-8")

    changes = (("show", "a"), ("disable", "a"), ("enable", "a"), ("scopes", "a", "notes:read"))
    for words in (("list",), ("invite",), *changes, ("create", "a", "--email", "a@example.com", "--generate")):
        assert "write [accounts]" in cli("users", *words, code=2).err
