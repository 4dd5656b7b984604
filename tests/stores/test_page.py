"""A page: like `find`, but a record that cannot be read hides no other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from garrison.errors import StoreError, UnreadableError
from garrison.guard.drive import drive
from garrison.stores.page import Page, page
from garrison.stores.protocols import Put
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Things `a` to `e`, of which somebody damaged `b`, `c` and `e`."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    drive(store.driven().commit([Put(THING, Thing(id=id)) for id in "abcde"]))
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute(f"UPDATE {THING.name} SET body = '{{' WHERE key IN ('b', 'c', 'e')")
    connection.close()
    yield store
    store.close()


def _ids(found: Page) -> tuple[list[str], str, str]:
    return [thing.id for thing in found.records], found.unreadable, found.last


def test_a_walk_meets_every_record_in_order(store: SqliteStore) -> None:
    walked, after = [], ""
    while (found := drive(page(store.driven(), THING, "", "", after, 10))).last:
        walked.append(_ids(found))
        after = found.last

    assert walked == [(["a"], "b", "b"), ([], "c", "c"), (["d"], "e", "e")]


@pytest.mark.parametrize("key", ["CAST(X'FF' AS TEXT)", "'f'"])
def test_no_record_leads_a_walk_in_a_circle(store: SqliteStore, tmp_path: Path, key: str) -> None:
    """One whose key is no text, and one that says it has another's key."""
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute(f"UPDATE {THING.name} SET key = {key} WHERE key = 'e'")
        connection.execute(f"""UPDATE {THING.name} SET body = '{{"id":"a"}}' WHERE key = 'f'""")
    connection.close()
    walked, after = 0, ""
    while (found := drive(page(store.driven(), THING, "", "", after, 10))).last:
        walked, after = walked + 1, found.last

    assert walked <= 3


def test_a_page_ends_at_its_limit(store: SqliteStore) -> None:
    assert _ids(drive(page(store.driven(), THING, "", "", "", 1))) == (["a"], "", "a")


def test_awaited_it_is_the_same(store: SqliteStore, runner: asyncio.Runner) -> None:
    assert _ids(runner.run(page(store.awaited(), THING, "", "", "", 10))) == (["a"], "b", "b")


def test_the_store_itself_leaves_nothing_out(store: SqliteStore) -> None:
    """What cannot be read could be what ends something."""
    with pytest.raises(UnreadableError) as fault:
        drive(store.driven().find(THING, "", ""))
    assert (fault.value.key, [thing.id for thing in fault.value.before]) == ("b", ["a"])
    with pytest.raises(UnreadableError):
        drive(store.driven().get(THING, "b"))


def test_a_store_that_cannot_answer_is_still_a_fault(store: SqliteStore) -> None:
    store.close()

    with pytest.raises(StoreError):
        drive(page(store.driven(), THING, "", "", "", 10))
