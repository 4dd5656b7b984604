"""Acknowledged means durable: a writer that is killed at any moment loses nothing it has promised.

The long run is `tests/prove/test_kill9_long.py`.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.stores.kill import kill_and_prove


def test_what_was_acknowledged_survives_the_kill(tmp_path: Path) -> None:
    """Three kills in a row, on one file."""
    dice = random.Random(9)
    acknowledged = [kill_and_prove(tmp_path / "x.db", f"n{number}", dice) for number in range(3)]

    assert min(acknowledged) > 0
