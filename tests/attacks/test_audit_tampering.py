"""Somebody who can write the database file, but has no key, changes what the journal says about them."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from garrison.audit import Report, verify
from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.protocols import Drop, Put, Query
from garrison.stores.sql import chain
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive


def store(path: Path) -> SqliteStore:
    return SqliteStore(path, ManualClock(), KINDS, KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    opened = store(tmp_path / "x.db")
    for number in range(6):
        event = Event(code="key_created", at=number + 1, actor="user:eve", subject=f"key:{number}", severity="info")
        drive(opened.driven().commit([Put(THING, Thing(id=f"{number}"))], [event]))
    opened.close()
    return tmp_path / "x.db"


def tamper(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def proved(path: Path) -> Report:
    opened = store(path)
    report = drive(verify(opened.driven(), [KEY]))
    opened.close()
    return report


@pytest.mark.parametrize(
    ("attack", "flaws"),
    [
        ("UPDATE garrison_journal SET body = replace(body, 'eve', 'bob') WHERE sequence = 3", {(3, "altered")}),
        ("UPDATE garrison_journal SET body = body || ' ' WHERE sequence = 3", {(3, "altered")}),
        ("UPDATE garrison_journal SET body = 'no json' WHERE sequence = 3", {(3, "altered")}),
        ("UPDATE garrison_journal SET mac = x'00' WHERE sequence = 3", {(3, "altered")}),
        ("UPDATE garrison_journal SET actor = 'user:bob' WHERE sequence = 3", {(3, "altered")}),
        ("UPDATE garrison_journal SET at = 0 WHERE sequence = 3", {(3, "altered")}),
        ("DELETE FROM garrison_journal WHERE sequence = 3", {(3, "missing")}),
        ("DELETE FROM garrison_journal WHERE sequence < 3", {(1, "missing")}),
        ("DELETE FROM garrison_journal WHERE sequence > 3", {(4, "cut")}),
        ("DELETE FROM garrison_journal", {(1, "cut")}),
        ("UPDATE garrison_journal SET sequence = 'x' WHERE sequence = 3", {(3, "missing")}),
        ("DELETE FROM garrison_head", {(0, "head")}),
        ("UPDATE garrison_head SET sequence = 3", {(0, "head")}),
        ("UPDATE garrison_head SET base = 2", {(0, "head")}),
        ("UPDATE garrison_head SET seal = 'x', mac = 'x', base_mac = 5, sequence = 'x'", {(0, "head")}),
    ],
)
def test_a_change_in_the_file_is_found(path: Path, attack: str, flaws: set[tuple[int, str]]) -> None:
    """Of an event, of the columns it is searched by, of its place, of the head."""
    assert proved(path).whole
    tamper(path, attack)

    assert {(flaw.sequence, flaw.kind) for flaw in proved(path).flaws} == flaws


def test_events_that_change_places_are_found(path: Path) -> None:
    """Two whole rows, links included."""
    swap = "UPDATE garrison_journal SET sequence = {} WHERE sequence = {}"
    tamper(path, swap.format(99, 2), swap.format(2, 4), swap.format(4, 99))

    assert {flaw.sequence for flaw in proved(path).flaws} >= {2, 4}


def test_an_event_put_in_is_found(path: Path) -> None:
    """Between two, and at the end."""
    copy = (
        "INSERT INTO garrison_journal SELECT writer, {}, at, code, actor, subject, body, mac FROM garrison_journal {}"
    )
    tamper(path, "UPDATE garrison_journal SET sequence = sequence + 100 WHERE sequence > 3")
    tamper(path, copy.format(4, "WHERE sequence = 1"))
    tamper(path, "UPDATE garrison_journal SET sequence = sequence - 99 WHERE sequence > 100")

    assert (4, "altered") in {(flaw.sequence, flaw.kind) for flaw in proved(path).flaws}


def test_a_chain_of_the_attackers_own_is_found(path: Path) -> None:
    """Under another name, with a head and all, but without the key."""
    tamper(
        path,
        "INSERT INTO garrison_journal "
        "SELECT 'main-2', sequence, at, code, actor, subject, body, mac FROM garrison_journal",
        "INSERT INTO garrison_head SELECT 'main-2', sequence, mac, base, base_mac, seal FROM garrison_head",
    )

    assert {flaw.writer for flaw in proved(path).flaws} == {"main-2"}


def test_an_event_hidden_from_search_is_shown_as_unreadable(path: Path) -> None:
    """Its columns no longer say what it says; nobody is told that there is nothing."""
    tamper(path, "UPDATE garrison_journal SET actor = 'user:bob' WHERE sequence = 3")
    opened = store(path)
    codes = [sealed.event.code for sealed in drive(opened.driven().read(Query()))]
    opened.close()

    assert codes.count("audit_unreadable") == 1


def test_the_store_does_not_seal_over_the_damage(path: Path) -> None:
    """It leaves the broken chain alone, begins another with an alarm, and both stay evidence."""
    tamper(path, "DELETE FROM garrison_journal WHERE sequence > 3", "UPDATE garrison_head SET sequence = 3")
    for number in range(2):
        opened = store(path)
        drive(opened.driven().commit([], [Event(code="key_revoked", at=9, subject=f"key:{number}")]))
        opened.close()
    opened = store(path)
    written = drive(opened.driven().read(Query(), ("main", 2**40)))
    opened.close()

    assert [(sealed.writer, sealed.sequence, sealed.event.code) for sealed in written] == [
        ("main-2", 1, "audit_chain_broken"),
        ("main-2", 2, "key_revoked"),
        ("main-2", 3, "key_revoked"),
    ]
    assert (written[0].event.severity, written[0].event.subject) == ("critical", "main")
    assert {(flaw.writer, flaw.kind) for flaw in proved(path).flaws} == {("main", "head")}


def test_retention_leaves_a_broken_chain_alone(path: Path) -> None:
    """It is evidence; and moving its base would seal the damage."""
    tamper(path, "UPDATE garrison_head SET sequence = 3")
    opened = store(path)
    removed = drive(opened.driven().trim(2**60))
    opened.close()

    assert removed == 0


def test_a_journal_broken_again_and_again_stops_at_a_bound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then events are refused with what depends on them, rather than written where nobody can trust them."""
    monkeypatch.setattr(chain, "MOST_CHAINS", 4)
    for _ in range(3):
        tamper(path, "UPDATE garrison_head SET seal = 'x'")
        opened = store(path)
        outcome = None
        with suppress(StoreError):
            outcome = drive(opened.driven().commit([Put(THING, Thing(id="new"))], [Event(code="x", at=1)]))
            drive(opened.driven().commit([Drop(THING, "new")]))
        assert drive(opened.driven().get(THING, "new")) is None
        opened.close()

    assert outcome is None


def test_a_lost_root_key_does_not_silence_the_journal(path: Path) -> None:
    """With the key given back as an old one, the chain goes on; without it, another begins."""
    fresh = b"a new key for the chain, only in tests"
    for old, chains in (((KEY,), ["main"]), ((), ["main", "main-2"])):
        opened = SqliteStore(path, ManualClock(), KINDS, fresh if old else fresh[::-1], old_chain_keys=old)
        assert drive(opened.driven().commit([], [Event(code="sys_startup", at=1)])).done
        assert [head.writer for head in drive(opened.driven().heads())] == chains
        opened.close()
