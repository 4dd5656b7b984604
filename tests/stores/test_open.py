"""A store is found by its URL, and only the one that is asked for is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from garrison.errors import UsageError
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.open import SCHEMES, open_records
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS
from tests.stores.storm import surroundings


def test_each_scheme_opens_its_store(tmp_path: Path) -> None:
    """Memory, and SQLite with its path."""
    memory = open_records("memory:", ManualClock(), KINDS, KEY)
    sqlite = open_records(f"sqlite:{tmp_path}/var/x.db", ManualClock(), KINDS, KEY)
    sqlite.close()

    assert isinstance(memory, MemoryRecords)
    assert isinstance(sqlite, SqliteStore)
    assert (tmp_path / "var" / "x.db").is_file()
    assert set(SCHEMES) == {"memory", "sqlite"}


@pytest.mark.parametrize(
    "url", ["", "memory", "memory:x", "sqlite", "sqlite:", "sqlite::memory:", "redis://u:p@h", "MEMORY:"]
)
def test_anything_else_is_misuse(url: str) -> None:
    """And no error shows the password of a URL."""
    with pytest.raises(UsageError) as error:
        open_records(url, ManualClock(), KINDS, KEY)
    assert "u:p" not in str(error.value)


def test_nothing_is_loaded_that_was_not_asked_for(tmp_path: Path) -> None:
    """A store in memory needs no sqlite3, and opening neither needs a loop."""
    code = (
        "import sys\n"
        "from garrison.stores.open import open_records\n"
        "from garrison.testing.clock import ManualClock\n"
        "open_records('memory:', ManualClock(), [], b'k' * 32)\n"
        "assert not {'sqlite3', 'asyncio'} & set(sys.modules), 'memory'\n"
        "open_records('sqlite:' + sys.argv[1], ManualClock(), [], b'k' * 32).close()\n"
        "assert 'asyncio' not in sys.modules, 'sqlite'\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.db")], check=True, env=surroundings())
