"""`garrison top` tells who is refused most, from the journal alone."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from garrison.cli.workspace import opened
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.model.units import HOUR
from tests.cli.conftest import Cli

NOISY, QUIET = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def attacked(policy: Path) -> None:
    """A journal that holds refusals of two addresses, and what is none."""
    with opened(policy) as runtime:
        now = runtime.clock.wall()
        refused = Event(code="authn_fail", at=now, outcome="refused", reason="key_unknown", route="GET /notes")
        several = {"address": NOISY, "details": {"summary": True}, "count": 40}
        events = [
            Event(code="key_created", at=now, actor="user:ada", address=QUIET),
            _changed(refused, address=QUIET, actor="user:ada"),
            _changed(refused, address=NOISY, reason="key_checksum"),
            _changed(refused, **several),
            _changed(refused, address=QUIET, at=now - 2 * HOUR, count=900),
            _changed(refused, address=QUIET, outcome="success", details={"observed": True}, code="authz_fail"),
        ]
        drive(runtime.driven_side.face.append(events))
        drive(runtime.driven_side.face.flush())


def _changed(event: Event, **fields: object) -> Event:
    from msgspec.structs import replace

    return replace(event, **fields)


@pytest.mark.usefixtures("attacked")
@pytest.mark.parametrize(
    ("words", "top"),
    [
        ((), [(NOISY, 41), (QUIET, 2)]),
        (("--since", "3h"), [(QUIET, 902), (NOISY, 41)]),
        (("--by", "who"), [("(several)", 42), ("user:ada", 1)]),
        (("--by", "route"), [("GET /notes", 43)]),
        (("--by", "code"), [("authn_fail", 42), ("authz_fail", 1)]),
        (("-n", "1"), [(NOISY, 41)]),
    ],
)
def test_the_heaviest_come_first(cli: Cli, words: tuple[str, ...], top: list[tuple[str, int]]) -> None:
    told = cli("top", "--json", *words).json

    assert [(each["name"], each["refusals"]) for each in told["top"]] == top


@pytest.mark.usefixtures("attacked")
def test_elsewhere_than_on_a_terminal_it_prints_once(cli: Cli) -> None:
    ran = cli("top")

    heading, noisy, quiet = (line.split() for line in ran.out.splitlines())
    assert heading == ["REFUSALS", "SHARE", "ADDRESS", "LAST", "WHAT", "WHY", "ROUTE"]
    assert (noisy[0], noisy[1], noisy[2], noisy[5:]) == (
        "41",
        "95%",
        NOISY,
        ["authn_fail", "key_unknown", "GET", "/notes"],
    )
    assert (quiet[0], quiet[2]) == ("2", QUIET)
    assert ran.err == "43 refusals in the last 15m\n"


@pytest.mark.usefixtures("policy")
def test_where_nobody_was_refused_nobody_is_shown(cli: Cli) -> None:
    assert cli("top", "--json").json == {"refusals": 0, "top": []}


@pytest.mark.usefixtures("attacked")
def test_on_a_terminal_it_draws_until_it_is_ended(policy: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "garrison", "top"],
        cwd=policy.parent,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "20"},
        stdin=theirs,
        stdout=theirs,
    )
    # So that reading ends with the process, and not never.
    os.close(theirs)
    drawn = b""
    try:
        while NOISY.encode() not in drawn:
            drawn += os.read(ours, 65_536)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert b"43 refusals in the last 15m" in drawn
