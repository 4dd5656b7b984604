"""An audit passes only when every package was asked about and none has a known flaw."""

from __future__ import annotations

import json

import pytest

from tools.audit import report

GOOD = {"name": "a", "version": "1", "vulns": []}
FLAWED = {
    "name": "b",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
SKIPPED = {"name": "c", "skip_reason": "not found"}


def test_clean() -> None:
    assert report(json.dumps({"dependencies": [GOOD, GOOD]})) == (
        ["packages: 2 checked, 0 not checked, 0 known flaws"],
        True,
    )


def test_a_known_flaw_fails_and_is_named() -> None:
    lines, clean = report(json.dumps({"dependencies": [GOOD, FLAWED]}))

    assert not clean
    assert lines[:2] == ["b 2: PYSEC-1, mended in 3", "b 2: PYSEC-2, not mended yet"]


def test_a_package_that_was_not_checked_fails() -> None:
    lines, clean = report(json.dumps({"dependencies": [GOOD, SKIPPED]}))

    assert not clean
    assert "c: not checked" in lines


@pytest.mark.parametrize(
    "printed", ["", "no JSON", "{}", '{"dependencies": []}', json.dumps({"dependencies": [SKIPPED, SKIPPED]})]
)
def test_silence_is_a_failure_in_one_line(printed: str) -> None:
    """A service that knows none of the packages has checked none of them, whatever its exit status says."""
    lines, clean = report(printed)

    assert not clean
    assert len(lines) == 1
    assert "nothing was checked" in lines[0]
