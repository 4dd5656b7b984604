"""The newest events are cut off, so that what an intruder did last was never written."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from garrison.audit import Report, anchor, anchors, verify
from garrison.model.event import Event
from garrison.stores.protocols import Head
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS
from tests.stores.storm import drive


def write(path: Path, *codes: str) -> bytes:
    """Append events, close, and take an anchor."""
    store = SqliteStore(path, ManualClock(), KINDS, KEY)
    for code in codes:
        drive(store.driven().commit([], [Event(code=code, at=1)]))
    mark = drive(anchor(store.driven()))
    store.close()
    return mark


def proved(path: Path, marks: tuple[Head, ...] = ()) -> Report:
    store = SqliteStore(path, ManualClock(), KINDS, KEY)
    report = drive(verify(store.driven(), [KEY], marks))
    store.close()
    return report


def test_a_tail_cut_off_shows_against_the_head(tmp_path: Path) -> None:
    """The links alone would not show it: what is left is a perfect chain."""
    path = tmp_path / "x.db"
    write(path, "a", "b", "c", "d")
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM garrison_journal WHERE sequence > 2")
    connection.commit()

    (flaw,) = proved(path).flaws
    assert (flaw.sequence, flaw.kind) == (3, "cut")

    # The head cannot be set back either: its seal is over its number and needs the key.
    connection.execute(
        "UPDATE garrison_head SET (sequence, mac) = "
        "(SELECT sequence, mac FROM garrison_journal ORDER BY sequence DESC LIMIT 1)"
    )
    connection.commit()
    connection.close()
    assert [flaw.kind for flaw in proved(path).flaws] == ["head"]


def test_a_whole_store_rolled_back_shows_against_an_anchor(tmp_path: Path) -> None:
    """Yesterday's file is genuine in itself; an anchor kept elsewhere says that there was more."""
    path, yesterday = tmp_path / "x.db", tmp_path / "yesterday.db"
    write(path, "a", "b")
    shutil.copy(path, yesterday)
    mark = write(path, "break_in")
    shutil.copy(yesterday, path)

    assert proved(path).whole
    (flaw,) = proved(path, anchors(mark)).flaws
    assert (flaw.sequence, flaw.kind) == (3, "anchor")


def test_a_store_rolled_back_and_written_on_shows_against_an_anchor(tmp_path: Path) -> None:
    """The numbers have been used again, by other events."""
    path, yesterday = tmp_path / "x.db", tmp_path / "yesterday.db"
    write(path, "a", "b")
    shutil.copy(path, yesterday)
    mark = write(path, "break_in")
    shutil.copy(yesterday, path)
    write(path, "harmless", "more")

    assert proved(path).whole
    (flaw,) = proved(path, anchors(mark)).flaws
    assert (flaw.sequence, flaw.kind) == (3, "anchor")
