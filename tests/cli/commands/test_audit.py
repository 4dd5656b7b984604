"""`garrison audit` reads, proves and hands over the journal."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from garrison.cli.workspace import opened
from garrison.guard.drive import drive
from garrison.model.event import Event
from tests.cli.conftest import Cli


@pytest.fixture
def busy(cli: Cli, policy: Path) -> list[str]:
    """Three keys were made and one of them was ended."""
    ids = [cli("keys", "create", f"k{number}", "--json").json["id"] for number in range(3)]
    cli("keys", "revoke", ids[0], "--reason", "left")
    return ids


def test_tail_prints_the_last_events_the_newest_at_the_end(cli: Cli, busy: list[str]) -> None:
    lines = cli("audit", "tail").out.splitlines()
    last = cli("audit", "tail", "-n", "1", "--json").json

    assert lines[0].split() == ["WHEN", "WHAT", "OUTCOME", "WHO", "TO", "WHAT", "FROM", "WHY"]
    assert [line.split()[-2] for line in lines[1:4]] == ["operator:console"] * 3
    assert lines[-1].split()[2:] == ["!", "key_revoked", "success", "operator:console", f"key:{busy[0]}", "left"]
    assert (last["code"], last["sequence"], last["reason"]) == ("key_revoked", 4, "left")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--code", "key_created"), 3),
        (("--actor", "operator:console"), 4),
        (("--actor", "nobody"), 0),
        (("--since", "1h"), 4),
        (("--since", "0s"), 0),
    ],
)
def test_events_are_chosen(cli: Cli, busy: list[str], words: tuple[str, ...], count: int) -> None:
    assert len(cli("audit", "tail", "--json", *words).out.splitlines()) == count
    assert len(cli("audit", "export", *words).out.splitlines()) == count


@pytest.mark.parametrize(
    ("code", "hint"), [("key_creatd", "did you mean key_created?"), ("nope", "docs/reference/events.md lists them")]
)
@pytest.mark.parametrize("command", ["tail", "export"])
def test_a_code_that_is_none_is_an_error(cli: Cli, busy: list[str], command: str, code: str, hint: str) -> None:
    """Nothing found would look like nothing happened."""
    ran = cli("audit", command, "--code", code, code=2)

    assert ran.err == f"garrison: there is no event {code}, and none in the journal; {hint}\n"


def test_a_code_of_the_application_s_own_is_one(cli: Cli, policy: Path) -> None:
    with opened(policy) as runtime:
        drive(runtime.driven_side.face.append([Event(code="order_shipped", at=runtime.clock.wall())]))

    assert cli("audit", "tail", "--code", "order_shipped", "--json").json["code"] == "order_shipped"


def test_events_about_one_thing(cli: Cli, busy: list[str]) -> None:
    found = cli("audit", "export", "--subject", f"key:{busy[0]}").out.splitlines()

    assert [json.loads(line)["event"]["code"] for line in found] == ["key_created", "key_revoked"]


@pytest.mark.parametrize(("form", "member"), [("jsonl", "mac"), ("ocsf", "class_uid"), ("ecs", "@timestamp")])
def test_each_form_is_one_json_line_an_event(cli: Cli, busy: list[str], form: str, member: str) -> None:
    lines = cli("audit", "export", "--format", form).out.splitlines()

    assert len(lines) == 4
    assert all(member in json.loads(line) for line in lines)


def test_a_form_that_nobody_reads_is_no_choice(cli: Cli, policy: Path) -> None:
    assert "jsonl" in cli("audit", "export", "--format", "xml", code=2).err


def test_a_whole_journal_is_proved(cli: Cli, busy: list[str]) -> None:
    assert cli("audit", "verify").out == "4 events in 1 chain, 0 flaws\n"
    assert cli("audit", "verify", "--json").json == {"whole": True, "events": 4, "flaws": []}


def test_a_changed_event_is_found(cli: Cli, busy: list[str]) -> None:
    """Somebody with the file, and without the root key, hides what was done."""
    with sqlite3.connect("var/garrison.db") as database:
        changed = database.execute("DELETE FROM garrison_journal WHERE sequence = 2").rowcount
    database.close()

    assert changed == 1
    ran = cli("audit", "verify", code=1)
    assert "main 2: missing" in ran.out
    assert cli("audit", "verify", "--json", code=1).json["whole"] is False


def test_an_anchor_shows_a_journal_that_was_set_back(cli: Cli, busy: list[str], tmp_path: Path) -> None:
    """Somebody puts an older copy of the whole store back: only what was kept elsewhere can tell."""
    Path("old.db").write_bytes(_snapshot(Path("var/garrison.db")))
    cli("keys", "create", "later")
    Path("anchors.txt").write_text(cli("audit", "anchor").out, "utf-8")
    assert cli("audit", "verify", "--anchors", "anchors.txt").out.endswith(", 0 flaws\n")

    for file in Path("var").glob("garrison.db*"):
        file.unlink()
    Path("old.db").rename("var/garrison.db")

    assert cli("audit", "verify").out.endswith(", 0 flaws\n")
    assert "anchor" in cli("audit", "verify", "--anchors", "anchors.txt", code=1).out


@pytest.mark.parametrize("text", ["nonsense\n", '{"a": 1}\n'])
def test_anchors_that_are_none(cli: Cli, policy: Path, text: str) -> None:
    Path("anchors.txt").write_text(text, "utf-8")

    assert "cannot be read as anchors" in cli("audit", "verify", "--anchors", "anchors.txt", code=2).err
    assert "cannot be read" in cli("audit", "verify", "--anchors", "none.txt", code=2).err


def test_follow_goes_on_with_what_happens_until_it_is_stopped(cli: Cli, busy: list[str]) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "garrison", "audit", "tail", "--follow", "--json", "-n", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())
    made = cli("keys", "create", "new", "--json").json
    second = json.loads(watching.stdout.readline())
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=60)

    assert first["code"] == "key_revoked"
    assert (second["code"], second["subject"]) == ("key_created", f"key:{made['id']}")
    assert (watching.returncode, out, err) == (130, "", "")


def _snapshot(path: Path) -> bytes:
    with sqlite3.connect(path) as database:
        copy: bytes = database.serialize()
    database.close()
    return copy
