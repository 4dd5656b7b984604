"""Tables on a terminal, plain lines elsewhere, and nothing that a terminal would obey."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cli.screen import counted, instant, printable, rows
from tests.cli.conftest import Cli


@given(st.text())
def test_whatever_is_shown_can_be_seen_and_is_one_line(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(("number", "shown"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys")])
def test_one_is_not_many(number: int, shown: str) -> None:
    assert counted(number, "key") == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb", r"a\nb"),
        ("\u202etxt", r"\u202etxt"),
        ("\udc80", r"\udc80"),
        ("Ü ñ 任", "Ü ñ 任"),
    ],
)
def test_escapes_line_ends_and_turned_text_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_columns_stand_under_each_other_without_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    rows(("id", "name"), [("1", "long name"), ("22", "")])

    assert capsys.readouterr().out == "ID  NAME\n1   long name\n22\n"


def test_an_empty_table_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    rows(("id", "name"), [])

    assert capsys.readouterr().out == "ID  NAME\n"


@pytest.mark.parametrize(("at", "text"), [(0, ""), (1_800_000_000_000_000, "2027-01-15 08:00:00Z")])
def test_instants_are_read_in_utc(at: int, text: str) -> None:
    assert instant(at) == text


def test_a_terminal_gets_a_table(cli: Cli, policy: Path) -> None:
    """In a process of its own, on a terminal of its own; brackets are text and not markup."""
    cli("keys", "create", "[red]demo[/red]")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "garrison", "keys", "list"],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)

    assert done.stderr == b""
    assert "───" in shown
    assert "[red]demo[/red]" in shown
