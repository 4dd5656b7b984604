"""`garrison keys` does what the key service does, prints a key once, and takes a leaked one as its name."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from garrison.adapters.wsgi.middleware import GarrisonWSGI
from tests.cli.conftest import Cli, Ran


def _create(cli: Cli, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = cli("keys", "create", "demo", "--scopes", "notes:read", *words, "--json").json
    return made


def test_standard_output_gets_the_key_and_nothing_else(cli: Cli, policy: Path) -> None:
    """KEY=$(garrison keys create demo) must hold it."""
    ran = cli("keys", "create", "demo", "--scopes", "notes:read,notes:*", "--scopes", "notes:read")
    (listed,) = cli("keys", "list", "--json").json

    assert ran.out.startswith("grsn_sk_dev_")
    assert ran.out.count("\n") == 1
    assert "shown this once" in ran.err
    assert ran.out.strip() not in ran.err
    assert listed["scopes"] == ["notes:read", "notes:*", "notes:read"]
    assert listed["id"] in ran.out


def test_every_restriction_is_kept(cli: Cli, policy: Path) -> None:
    made = _create(
        cli,
        *("--kind", "rk", "--expires", "90d", "--network", "10.0.0.0/8,192.0.2.0/24", "--route", "GET /notes"),
        *("--limit", "1000/h per key", "--uses", "5"),
    )
    told = cli("keys", "show", made["id"], "--json").json
    shown = cli("keys", "show", made["id"]).out

    assert made["key"].startswith("grsn_rk_dev_")
    assert made["expires"] == told["expires"] > told["created"]
    assert told["networks"] == ["10.0.0.0/8", "192.0.2.0/24"]
    assert (told["routes"], told["limits"], told["uses_left"]) == (["GET /notes"], ["1000/h per key"], 5)
    for text in ("rk", "10.0.0.0/8 192.0.2.0/24", "GET /notes", "1000/h per key", "uses left   5", "never used"):
        assert text in shown


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_listed(cli: Cli, policy: Path) -> None:
    ids = sorted(_create(cli)["id"] for _ in range(3))
    with sqlite3.connect("var/garrison.db") as connection:
        connection.execute("UPDATE api_key SET body = '{' WHERE key = ?", (ids[1],))
    connection.close()

    listed = cli("keys", "list").out.splitlines()[1:]

    assert [line.split()[0] for line in listed] == ids
    assert "unreadable (key_row_unreadable)" in listed[1]
    assert cli("keys", "list", "--json").json[1]["reason"] == "key_row_unreadable"
    assert "damaged" in cli("keys", "rotate", ids[1], code=1).err


def test_a_row_that_cannot_be_read_is_ended_like_any_other(cli: Cli, policy: Path) -> None:
    """Else it would stand in every list for ever, and no command could take it away."""
    ids = sorted(_create(cli)["id"] for _ in range(3))
    with sqlite3.connect("var/garrison.db") as connection:
        connection.execute("UPDATE api_key SET body = '{' WHERE key = ?", (ids[1],))
        connection.execute("UPDATE api_key SET body = json_set(body, '$.facts', 'gA==') WHERE key = ?", (ids[2],))
    connection.close()

    told = cli("keys", "revoke", ids[1], "--reason", "cleaning up")
    forged = cli("keys", "revoke", ids[2], "--json").json

    assert told.out == f"{ids[1]}: could not be read (key_row_unreadable), and is removed\n"
    assert forged == {"id": ids[2], "status": "removed", "reason": "key_row_forged"}
    assert [key["id"] for key in cli("keys", "list", "--json").json] == [ids[0]]
    events = [json.loads(line)["event"] for line in cli("audit", "export", "--code", "key_revoked").out.splitlines()]
    assert [event["subject"] for event in events] == [f"key:{ids[1]}", f"key:{ids[2]}"]
    assert [event["details"]["unreadable"] for event in events] == ["key_row_unreadable", "key_row_forged"]
    assert (events[0]["reason"], events[0]["severity"]) == ("cleaning up", "critical")
    assert "revoked" not in cli("keys", "revoke", ids[1], code=1).out


def test_all_mistakes_of_an_order_at_once(cli: Cli, policy: Path) -> None:
    ran = cli("keys", "create", "x", "--kind", "zz", "--limit", "often", "--expires", "soon", code=1)
    told = cli("keys", "create", "x", "--kind", "zz", "--json", code=1).json

    assert [line.split(": ")[1] for line in ran.err.splitlines()] == ["kind", "expires_in", "limits[0]"]
    assert told["error"]["problems"][0]["path"] == "kind"
    assert cli("keys", "list", "--json").json == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scopes", "notes:raed"), "scopes[0]: 'notes:raed' is no right of the policy; did you mean 'notes:read'?"),
        (("--scopes", "notes:read,zzz"), "scopes[1]: 'zzz' is no right of the policy"),
        (("--scopes", "note:*"), "scopes[0]: 'note:*' is no right of the policy"),
        (("--route", "GET /note"), "routes[0]: 'GET /note' is no route of the policy; did you mean 'GET /notes'?"),
        (
            ("--route", "PUT /notes/{id}"),
            "'PUT /notes/{id}' is no route of the policy; did you mean 'GET /notes/{id}'?",
        ),
    ],
)
def test_a_name_that_the_policy_lacks_is_refused(cli: Cli, policy: Path, words: tuple[str, ...], told: str) -> None:
    """A key whose only right is misspelled is given out and deployed before anybody learns that it opens nothing."""
    ran = cli("keys", "create", "x", *words, code=1)

    assert told in ran.err
    assert ran.out == ""
    assert cli("keys", "list", "--json").json == []
    assert cli("keys", "create", "x", *words, "--force").out.startswith("grsn_sk_dev_")


@pytest.mark.parametrize("scope", ["notes:read", "notes:*", "notes:print", "tasks:any"])
def test_what_is_demanded_or_granted_anywhere_is_no_mistake(cli: Cli, policy: Path, scope: str) -> None:
    text = policy.read_text("utf-8").replace('scopes = ["notes:read"]\n', 'scopes = ["notes:print", "tasks:*"]\n')
    policy.write_text(text, "utf-8")

    assert cli("keys", "create", "x", "--scopes", scope, "--route", "POST /auth/login").out


def test_both_kinds_of_names_are_told_at_once(cli: Cli, policy: Path) -> None:
    told = cli("keys", "create", "x", "--scopes", "a:b", "--route", "GET /x", "--json", code=1).json["error"]

    assert [(each["path"], each["code"]) for each in told["problems"]] == [
        ("scopes[0]", "unknown"),
        ("routes[0]", "unknown"),
    ]


def test_a_rotation_keeps_the_old_secret_until_it_is_dropped(cli: Cli, policy: Path) -> None:
    made = _create(cli)
    rotated = cli("keys", "rotate", made["id"])
    shown = cli("keys", "show", made["id"]).out

    assert rotated.out.startswith("grsn_sk_dev_")
    assert rotated.out.strip() != made["key"]
    assert "current secret, never used" in shown
    assert "in use, never used, ends 20" in shown
    assert "old secrets ended" in cli("keys", "drop-old", made["id"]).out
    assert "no old secret to drop" in cli("keys", "drop-old", made["id"], code=1).err
    assert len(cli("keys", "show", made["id"], "--json").json["secrets"]) == 1


@pytest.mark.parametrize(("words", "left"), [((), 2), (("--overlap", "1h"), 2), (("--now",), 1)])
def test_how_long_the_old_secret_works_on(cli: Cli, policy: Path, words: tuple[str, ...], left: int) -> None:
    made = _create(cli)
    cli("keys", "rotate", made["id"], *words)

    assert len(cli("keys", "show", made["id"], "--json").json["secrets"]) == left


def test_a_leaked_key_is_ended_by_its_own_text(cli: Cli, policy: Path) -> None:
    made = _create(cli)
    ran = cli("keys", "revoke", made["key"], "--reason", "found in a log")
    (listed,) = cli("keys", "list", "--json").json

    assert ran.out == f"{made['id']} (demo): revoked\n"
    assert (listed["status"], listed["reason"]) == ("revoked", "found in a log")
    assert made["key"] not in cli("audit", "tail").out
    assert "cannot be changed" in cli("keys", "rotate", f"key:{made['id']}", code=1).err


def test_quarantine_and_release(cli: Cli, policy: Path) -> None:
    made = _create(cli)
    told = cli("keys", "quarantine", made["id"], "--known", "10.0.0.0/8", "--reason", "odd hours", "--json").json

    assert told["status"] == "quarantined"
    assert "known[0]" in cli("keys", "quarantine", made["id"], "--known", "nowhere", code=1).err
    assert "active again" in cli("keys", "release", made["id"]).out
    assert "not in quarantine" in cli("keys", "release", made["id"], code=1).err


def test_keys_of_a_user_are_listed_by_name(cli: Cli, policy: Path) -> None:
    cli("users", "create", "ada", "--email", "ada@example.com", "--generate")
    _create(cli)
    mine = _create(cli, "--owner", "ada")
    listed = cli("keys", "list", "--owner", "ada@example.com", "--json").json

    assert [each["id"] for each in listed] == [mine["id"]]
    assert listed[0]["owner"].startswith("user:")
    assert len(cli("keys", "list", "--json").json) == 2
    assert "there is no user 'bob'" in cli("keys", "create", "x", "--owner", "bob", code=2).err


def _foreign(cli: Cli, *keys: tuple[str, dict[str, Any]], words: tuple[str, ...] = (), code: int = 0) -> Ran:
    lines = [json.dumps({"hash": sha256(text.encode()).hexdigest(), **rest}) for text, rest in keys]
    Path("foreign.jsonl").write_text("\n".join([*lines, ""]), "utf-8")
    return cli("keys", "import", "foreign.jsonl", *words, code=code)


def test_keys_of_another_system_are_taken_over_by_their_hashes(cli: Cli, policy: Path) -> None:
    """Whoever holds one goes on using it; here it is presented to the guard."""
    cli("users", "create", "ada", "--email", "ada@example.com", "--generate")
    ran = _foreign(
        cli,
        ("old-key-of-billing-4711", {"name": "billing", "scopes": ["notes:read"]}),
        ("old-key-of-ada-0815-0815", {"name": "ada's", "owner": "ada"}),
    )
    seen: list[str] = []

    def notes(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return []

    def start(status: str, headers: object, exc: object = None) -> Any:
        seen.append(status)

    guard = GarrisonWSGI(notes, policy)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/notes",
        "HTTP_HOST": "localhost",
        "HTTP_X_API_KEY": "old-key-of-billing-4711",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": BytesIO(),
    }
    list(guard(environ, start))
    guard.runtime.close()

    assert ran.out == "2 keys taken over\n"
    assert [key["name"] for key in cli("keys", "list", "--owner", "ada", "--json").json] == ["ada's"]
    assert seen == ["200 OK"]


def test_what_is_wrong_with_foreign_keys_is_told_key_by_key(cli: Cli, policy: Path) -> None:
    bad = {"name": "pages", "kind": "pk", "scopes": ["notes:write"], "hash": "no hash"}
    ran = _foreign(cli, ("a" * 20, {"name": "ok"}), ("b" * 20, bad), code=1)

    assert [line.split(": ")[1:3] for line in ran.err.splitlines()] == [
        ["key 2", "hash"],
        ["key 2", "origins"],
        ["key 2", "scopes"],
    ]
    assert cli("keys", "list", "--json").json == []
    assert "is here already" in _twice(cli).err


def _twice(cli: Cli) -> Ran:
    _foreign(cli, ("c" * 20, {"name": "once"}))
    return _foreign(cli, ("c" * 20, {"name": "again"}), code=1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"hash": 5, "name": "x"}', "line 1: hash and owner are texts"),
        ('\n{"hash": "", "nme": "x"}', "line 2: "),
        ("[]", "line 1: "),
        ("{", "line 1: "),
        ('{"hash": "", "name": "", "scopes": ["no scope"]}', "scopes[0]: "),
        ('{"hash": "", "name": "x", "owner": "nobody"}', "line 1: there is no user"),
    ],
)
def test_a_file_of_foreign_keys_that_cannot_be_read(cli: Cli, policy: Path, text: str, told: str) -> None:
    Path("foreign.jsonl").write_text(text, "utf-8")

    assert told in cli("keys", "import", "foreign.jsonl", code=2).err
    assert "cannot be read" in cli("keys", "import", "none.jsonl", code=2).err


def test_a_scheme_with_a_key_of_its_own(cli: Cli, policy: Path) -> None:
    Path("hmac.key").write_text("0123456789abcdef0123\n", "utf-8")
    words = ("--scheme", "hmac-sha256:legacy", "--secret", "hmac.key", "--json")

    assert len(_foreign(cli, ("d" * 20, {"name": "x"}), words=words).json["imported"]) == 1
    assert "sha256" in _foreign(cli, ("e" * 20, {"name": "x"}), words=("--scheme", "md5"), code=2).err


def test_a_canary_says_that_it_is_one(cli: Cli, policy: Path) -> None:
    made = _create(cli, "--canary")

    assert cli("keys", "show", made["id"], "--json").json["status"] == "canary"


def test_more_than_a_page_of_keys_is_listed_whole(cli: Cli, policy: Path) -> None:
    from garrison.cli.workspace import opened
    from garrison.credentials.key_order import NewKey
    from garrison.credentials.key_service import OPERATOR, By
    from garrison.guard.drive import drive

    with opened(policy) as runtime:
        for number in range(103):
            drive(runtime.driven_side.keys.create(NewKey(name=f"k{number}"), By(OPERATOR, runtime.clock.wall())))

    assert len(cli("keys", "list", "--json").json) == 103


def test_a_key_that_is_not_there(cli: Cli, policy: Path) -> None:
    for command in ("show", "rotate", "revoke", "quarantine", "release", "drop-old"):
        assert "no key of this id" in cli("keys", command, "nothing", code=1).err


def test_a_right_that_an_endpoint_of_garrison_s_own_asks_for_is_known(cli: Cli, policy: Path) -> None:
    """A collector's key is made without force."""
    policy.write_text(policy.read_text("utf-8") + '\n[operations]\nmetrics = "/metrics"\n', "utf-8")

    cli("keys", "create", "prometheus", "--scopes", "admin:metrics")

    assert [key["scopes"] for key in cli("keys", "list", "--json").json] == [["admin:metrics"]]
