"""An attacker's path, name or address is printed by an operator's command: their terminal must not obey it.

With escapes a line can be hidden, rewritten, or put into the clipboard; a line end forges an event.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from garrison.adapters.wsgi.middleware import GarrisonWSGI
from tests.cli.conftest import Cli, cli, folder, policy

__all__ = ["cli", "folder", "policy"]


@pytest.mark.parametrize("hostile", ["/\x1b[2J\x1b]0;owned\x07", "/a\nb", "/\u202egpj.exe", "/\x9b31m"])
def test_the_journal_shows_what_was_asked_for_and_obeys_nothing(cli: Cli, policy: Path, hostile: str) -> None:
    guard = GarrisonWSGI(lambda environ, start: [], policy)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": hostile.encode().decode("latin-1"),
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(),
    }
    list(guard(environ, lambda status, headers, exc=None: bytes.strip))
    guard.runtime.close()
    shown = cli("audit", "tail").out

    assert len(shown.splitlines()) == 2
    assert all(line.isprintable() for line in shown.splitlines())
    assert " GET /" in shown


def test_the_name_of_a_key_cannot_forge_a_line(cli: Cli, policy: Path) -> None:
    cli("keys", "create", "innocent\u202e\u2066")
    shown = cli("keys", "list").out

    assert r"innocent\u202e\u2066" in shown
    assert len(shown.splitlines()) == 2


def test_the_fault_of_a_policy_cannot_either(cli: Cli, policy: Path) -> None:
    """A policy that somebody else wrote is checked before it is trusted."""
    policy.write_text('"\\u001b[2Jx" = 1\n', "utf-8")
    shown = cli("check", code=1).out

    assert "\x1b" not in shown
