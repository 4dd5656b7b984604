"""`garrison explain` judges as the guard does, for whoever is asked about, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.cli.workspace import opened
from garrison.credentials.key_record import ALLOWANCES
from garrison.guard.drive import drive
from garrison.stores.protocols import Add
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("words", "first", "within"),
    [
        (["GET", "/health"], "GET /health as nobody passes: GET /health", "the route is public"),
        (
            ["get", "/notes"],
            "GET /notes as nobody is refused: GET /notes, 401 credential_missing",
            "Present key or jwt",
        ),
        (["GET", "/notes", "--as", "key", "--scopes", "notes:read"], "passes", "key is accepted"),
        (["GET", "/notes", "--as", "jwt", "--scopes", "other:read"], "403 scope_missing", "notes:read is missing"),
        (["POST", "/notes"], "405 method_not_allowed", "route of its own"),
        (["GET", "/nothing"], "404 route_unknown", 'Write "GET /nothing" under [routes]'),
        (["GET", "/a//b"], "400 path_ambiguous", "plain form"),
        (["GET", "/health", "--origin", "https://x.example"], "passes", "may not read the answer"),
    ],
)
def test_a_request_of_somebody_imagined(cli: Cli, policy: Path, words: list[str], first: str, within: str) -> None:
    ran = cli("explain", *words)

    assert first in ran.out.splitlines()[0]
    assert within in ran.out
    assert not Path("var").exists(), "nothing is opened for somebody imagined"


def test_a_stored_key_is_judged_by_what_it_is_restricted_to(cli: Cli, policy: Path) -> None:
    made = cli("keys", "create", "net", "--scopes", "notes:read", "--network", "10.0.0.0/8", "--json").json
    who = ("explain", "GET", "/notes", "--as", f"key:{made['id']}")

    assert "403 credential_restricted" in cli(*who).out
    assert "403 credential_restricted" in cli(*who, "--from", "192.0.2.1").out
    assert " passes: GET /notes" in cli(*who, "--from", "10.1.2.3").out
    cli("keys", "revoke", made["id"])
    told = cli(*who, "--from", "10.1.2.3", "--json").json
    assert (told["allowed"], told["status"], told["code"]) == (False, 401, "credential_refused")
    assert told["steps"][-1]["text"] == "the key is revoked"


@pytest.mark.parametrize(
    ("option", "path", "remedy"),
    [(("--route", "GET /health"), "/notes", "--route"), (("--origin", "https://a.example"), "/notes", "--origin")],
)
def test_routes_and_origins_of_a_key(cli: Cli, policy: Path, option: tuple[str, str], path: str, remedy: str) -> None:
    made = cli("keys", "create", "r", "--scopes", "notes:read", *option, "--json").json
    ran = cli("explain", "GET", path, "--as", f"key:{made['id']}")

    assert "403 credential_restricted" in ran.out
    assert remedy in ran.out.splitlines()[-1]


def test_a_stored_user(cli: Cli, policy: Path) -> None:
    cli("users", "create", "ada", "--email", "ada@example.com", "--generate")

    assert "as user:ada, just logged in passes" in cli("explain", "GET", "/notes", "--as", "user:ada").out
    assert "passes" in cli("explain", "GET", "/notes", "--as", "user:ada@example.com").out


def test_a_key_may_no_more_than_its_owner(cli: Cli, policy: Path) -> None:
    cli("users", "create", "bob", "--email", "bob@example.com", "--generate", "--scopes", "other:read")
    made = cli("keys", "create", "k", "--scopes", "notes:read", "--owner", "bob", "--json").json

    assert "403 scope_missing" in cli("explain", "GET", "/notes", "--as", f"key:{made['id']}").out


@pytest.mark.parametrize(
    "words",
    [
        ["--as", "zzz"],
        ["--as", "key:nope"],
        ["--as", "user:nope"],
        ["--as", "zzz:1"],
        ["--as", "key+key"],
        ["--scopes", "a:b"],
        ["--as", "key:1", "--scopes", "a:b"],
        ["--from", "garbage"],
        ["--origin", "gar bage"],
    ],
)
def test_what_cannot_be_asked_about(cli: Cli, policy: Path, words: list[str]) -> None:
    assert cli("explain", "GET", "/notes", *words, code=2).err.startswith("garrison: ")


def test_a_key_under_quarantine_only_reads_from_elsewhere(cli: Cli, policy: Path) -> None:
    """As the guard decides: 403 for a write, and everything from a known network."""
    policy.write_text(
        policy.read_text().replace("[routes]", '[routes]\n"DELETE /notes" = { scopes = ["notes:write"] }')
    )
    made = cli("keys", "create", "k", "--scopes", "notes:read,notes:write", "--json").json
    cli("keys", "quarantine", made["id"], "--reason", "seen in a log", "--known", "10.0.0.0/8")
    who = ("--as", f"key:{made['id']}", "--from")

    assert "403 credential_restricted" in cli("explain", "DELETE", "/notes", *who, "192.0.2.1").out
    assert "under quarantine" in cli("explain", "DELETE", "/notes", *who, "192.0.2.1").out
    assert " passes: GET /notes" in cli("explain", "GET", "/notes", *who, "192.0.2.1").out
    assert " passes: DELETE /notes" in cli("explain", "DELETE", "/notes", *who, "10.1.2.3").out


def test_limits_and_uses_of_a_key_are_its_own(cli: Cli, policy: Path) -> None:
    made = cli("keys", "create", "k", "--scopes", "notes:read", "--limit", "2/h per key", "--uses", "3", "--json").json
    told = cli("explain", "GET", "/notes", "--as", f"key:{made['id']}", "--origin", "https://x.example").out
    none = cli("keys", "create", "n", "--scopes", "notes:read", "--uses", "1", "--json").json

    assert told.index("the key's own") < told.index("page:")
    assert '"2/h per key"' in told
    with opened(policy) as runtime:
        drive(runtime.driven_side.face.commit([Add(ALLOWANCES, none["id"], "left", -1, 0)]))
    assert "no use of the key is left" in cli("explain", "GET", "/notes", "--as", f"key:{none['id']}").out


@pytest.mark.parametrize(
    ("words", "told"), [(("--canary",), "a canary: never believed"), (("--expires", "1us"), "the key has expired")]
)
def test_a_key_that_would_not_be_believed_at_all(cli: Cli, policy: Path, words: tuple[str, ...], told: str) -> None:
    made = cli("keys", "create", "k", "--scopes", "notes:read", *words, "--json").json

    ran = cli("explain", "GET", "/notes", "--as", f"key:{made['id']}")
    assert "401 credential_refused" in ran.out
    assert told in ran.out


def test_a_key_of_another_environment_is_refused_unread(
    cli: Cli, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cli("keys", "create", "k", "--scopes", "notes:read", "--json").json
    policy.write_text(policy.read_text().replace("[routes]", '[keys]\nenvironment = "test"\n\n[routes]'))

    ran = cli("explain", "GET", "/notes", "--as", f"key:{made['id']}")
    assert "401 credential_refused" in ran.out
    assert "another environment: dev" in ran.out


def test_a_dead_key_changes_nothing_where_no_credential_is_asked_for(cli: Cli, policy: Path) -> None:
    """The route is unknown before anybody looks at the key."""
    made = cli("keys", "create", "k", "--canary", "--json").json

    assert "404 route_unknown" in cli("explain", "GET", "/nothing", "--as", f"key:{made['id']}").out
