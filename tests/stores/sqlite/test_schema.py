"""A database is brought up to date once, wholly, and refuses what it does not know."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from garrison.errors import StoreError, UsageError
from garrison.stores.protocols import Kind, Put, Record
from garrison.stores.sql.migration import Migration
from garrison.stores.sql.table import Table
from garrison.stores.sqlite.connection import SQLITE, connect
from garrison.stores.sqlite.schema import bring_up_to_date, migrations
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive


class Person(Record, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    id: str
    home_town: str = "Rome"
    e_mail: str = ""
    ends_at: int = 0


PERSON = Kind(name="person", struct=Person)


def store(path: Path, *kinds: Kind) -> SqliteStore:
    return SqliteStore(path, ManualClock(), kinds or KINDS, KEY)


def find(opened: SqliteStore, kind: Kind, index: str, value: str) -> list[str]:
    return [person.id for person in drive(opened.driven().find(kind, index, value))]


def test_the_files_are_numbered_without_a_gap() -> None:
    """From 1, each number once."""
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """Not one byte of the schema."""
    shapes = []
    for _ in range(2):
        store(tmp_path / "x.db").close()
        connection = sqlite3.connect(tmp_path / "x.db")
        shapes.append(connection.execute("SELECT sql, rootpage FROM sqlite_master ORDER BY name").fetchall())
        shapes.append(connection.execute("SELECT * FROM garrison_migration").fetchall())
        connection.close()

    assert shapes[:2] == shapes[2:]


def test_a_file_that_changed_after_it_was_applied_is_refused(tmp_path: Path) -> None:
    """What is in the database would not be what the file says."""
    store(tmp_path / "x.db").close()
    connection = connect(tmp_path / "x.db", reading=False)
    changed = Migration(1, "0001_journal.sql", "SELECT 1;")
    with pytest.raises(StoreError, match=r"0001_journal\.sql is not the file"):
        bring_up_to_date(connection, [], [changed], 0)
    connection.close()


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    """Going back would misread what it has learnt."""
    store(tmp_path / "x.db").close()
    connection = connect(tmp_path / "x.db", reading=False)
    bring_up_to_date(connection, [], [*migrations(), Migration(9, "0009_more.sql", "SELECT 1;")], 0)
    connection.close()

    with pytest.raises(StoreError, match="newer release"):
        store(tmp_path / "x.db")


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Its first statements, and the tables of kinds, are undone."""
    path = tmp_path / "x.db"
    path.touch()
    connection = connect(path, reading=False)
    broken = Migration(1, "0001_broken.sql", "CREATE TABLE one (x);\n-- and then\nCREATE TABLE\n  one (x);\n")
    with pytest.raises(StoreError):
        bring_up_to_date(connection, [Table(THING, SQLITE)], [broken], 0)

    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    assert not connection.in_transaction
    connection.close()


def test_a_new_index_is_filled_from_what_is_there(tmp_path: Path) -> None:
    """Renamed fields and fields left out for their default included."""
    first = store(tmp_path / "x.db", PERSON)
    people = [Person(id="a"), Person(id="b", home_town="Oslo", e_mail="b@x"), Person(id="c", ends_at=5)]
    drive(first.driven().commit([Put(PERSON, person) for person in people]))
    first.close()

    wider = replace(PERSON, indexes=("home_town",), unique=("e_mail",), expires="ends_at")
    second = store(tmp_path / "x.db", wider)
    assert find(second, wider, "home_town", "Rome") == ["a"]
    assert find(second, wider, "e_mail", "b@x") == ["b"]
    outcome = drive(second.driven().commit([Put(wider, Person(id="d", e_mail="b@x"))]))
    assert outcome.condition == "unique:e_mail"
    second.close()

    again = store(tmp_path / "x.db", PERSON)
    assert find(again, PERSON, "", "") == ["a", "b", "c"]
    assert drive(again.driven().commit([Put(PERSON, Person(id="d", e_mail="b@x"))])).done
    again.close()

    with pytest.raises(StoreError, match="brought up to date"):
        store(tmp_path / "x.db", wider)


def test_processes_that_open_at_once_all_find_it_done(tmp_path: Path) -> None:
    """One does the work under the write lock; here the connections of one process stand for them."""
    for number in range(5):
        path = tmp_path / f"{number}.db"
        opened = [store(path) for _ in range(3)]
        drive(opened[0].driven().commit([Put(THING, Thing(id="a"))]))
        assert all(drive(each.driven().get(THING, "a")) is not None for each in opened)
        for each in opened:
            each.close()


@pytest.mark.parametrize(
    "kind",
    [
        replace(THING, name="Thing"),
        replace(THING, name="thing; DROP"),
        replace(THING, name="sqlite_thing"),
        replace(THING, name="garrison_head"),
        replace(THING, name="t" * 41),
        replace(THING, key="nothing"),
        replace(THING, indexes=("nothing",)),
        replace(THING, expires="nothing"),
    ],
)
def test_a_malformed_kind_is_refused(tmp_path: Path, kind: Kind) -> None:
    """Names go into SQL, so they are checked against a pattern first."""
    with pytest.raises(UsageError):
        store(tmp_path / "x.db", kind)


def test_two_kinds_of_one_name_are_refused(tmp_path: Path) -> None:
    """The same one twice is the same one."""
    store(tmp_path / "x.db", THING, THING).close()
    with pytest.raises(UsageError):
        store(tmp_path / "x.db", THING, replace(PERSON, name="thing"))


def test_a_struct_written_as_an_array_is_refused() -> None:
    """Its fields would have no names in the JSON."""

    class Row(Record, frozen=True, kw_only=True, array_like=True):
        id: str

    with pytest.raises(UsageError):
        Table(Kind(name="row", struct=Row), SQLITE)
