"""The unit is sound to systemd, exposes little, and fits its policy."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from garrison.policy.load import load
from tests.deploy.places import DEPLOY, Judged, judged, policies

TEXT = (DEPLOY / "systemd" / "tasks.service").read_text("utf-8")
POLICY = load(policies()["systemd"])
BAR = 12
"""Highest exposure, in tenths, that `systemd-analyze security` may find; 0 is a service that can do nothing, 100 one
that may do everything. What is left is the network, which a server is for."""


def unit(folder: Path, text: str = TEXT) -> Path:
    """A copy whose program is one that this machine has."""
    path = folder / "tasks.service"
    path.write_text(text.replace("/opt/tasks/venv/bin/garrison", sys.executable), "utf-8")
    return path


def verified(path: Path) -> Judged:
    return judged("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)


def exposed(path: Path) -> Judged:
    return judged("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={BAR}", path)


def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    assert verified(unit(tmp_path)) == (True, "")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ProtectSystem=strict", "ProtectSystem=very"),
        ("ProtectHome=yes", "ProtectHomes=yes"),
        ("Type=exec", "Type=exact"),
        ("/opt/tasks/venv/bin/garrison", "/opt/nowhere/garrison"),
        ("RestartSec=1s", "RestartSec=soon"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@system-services"),
    ],
)
def test_systemd_finds_what_is_planted(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in TEXT

    assert verified(unit(tmp_path, TEXT.replace(right, wrong))).text


def test_little_is_exposed(tmp_path: Path) -> None:
    found = exposed(unit(tmp_path))

    assert found.held, found.text


@pytest.mark.parametrize(
    "lines",
    [r"DynamicUser=yes\n", r"CapabilityBoundingSet=\n", r"SystemCallFilter=.*\n", r"Restrict.*\n", r"Protect.*\n"],
)
def test_a_protection_that_is_left_out_is_found(tmp_path: Path, lines: str) -> None:
    weaker = re.sub(lines, "", TEXT)
    assert weaker != TEXT

    assert not exposed(unit(tmp_path, weaker)).held


def test_the_policy_and_the_unit_say_the_same() -> None:
    assert POLICY.secrets.root.removeprefix("credential:") in re.findall(r"^LoadCredential=(\w+):", TEXT, re.MULTILINE)
    assert POLICY.stores.records == "sqlite:/var/lib/tasks/garrison.db"
    assert "StateDirectory=tasks\n" in TEXT
    assert f"--workers {POLICY.workers}\n" in TEXT
    assert "Environment=GARRISON_ENV=production " in TEXT
