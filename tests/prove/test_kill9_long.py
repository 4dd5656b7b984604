"""Forty kills in a row, on one file: the long form of `tests/stores/test_kill9.py`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.stores.kill import kill_and_prove

pytestmark = pytest.mark.prove

PAGE = Path(__file__).parents[2] / "docs" / "proof" / "kills.md"
"""What this wrote last."""

TEXT = """# Kills

A process that writes from four threads is killed (`SIGKILL`) at a random moment, and its store opened again on the
same file: every commit that was acknowledged is there, the database is sound, the audit chain verifies. `make prove`
writes this page.
"""


def test_forty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """At random moments of a storm from four threads."""
    dice = random.Random()
    acknowledged = [kill_and_prove(tmp_path / "x.db", f"n{number}", dice) for number in range(40)]

    assert min(acknowledged) > 0
    row = f"| {len(acknowledged)} | {sum(acknowledged):,} | 0 |"
    PAGE.write_text(f"{TEXT}\n| kills | acknowledged commits | lost |\n|---:|---:|---:|\n{row}\n", "utf-8")
