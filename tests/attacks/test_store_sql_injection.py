"""Every text a caller chooses reaches the database as a value, never as SQL (CWE-89)."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.errors import UsageError
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Put, Require
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS, THING, Thing
from tests.stores.storm import drive

PAYLOADS = (
    "' OR '1'='1",
    "'; DROP TABLE thing; --",
    '" OR ""="',
    "x' UNION SELECT body FROM thing --",
    "1; ATTACH DATABASE '/tmp/x' AS y",
    "%' OR id LIKE '%",
    "$.id') OR 1=1 --",
    "?1",
    "a\0' OR 1=1",
    "thing.owner",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_key_or_value_is_compared_and_not_run(tmp_path: Path, payload: str) -> None:
    """By every method and every step."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    face = store.driven()
    drive(face.commit([Put(THING, Thing(id="secret", owner="ada", email="ada@example"))]))

    assert drive(face.get(THING, payload)) is None
    assert drive(face.find(THING, "owner", payload)) == ()
    assert drive(face.find(THING, "email", payload)) == ()
    assert drive(face.find(THING, "", payload)) == drive(face.find(THING, "", ""))
    assert len(drive(face.find(THING, "", "", after=payload))) == int(payload < "secret")
    for step in (Consume(THING, payload), Require(THING, payload, "count", 0), Add(THING, payload, "count", 1)):
        assert drive(face.commit([step])).condition == "missing"
    assert drive(face.commit([Drop(THING, payload), Fewer(THING, "owner", payload, 1)])).done
    assert drive(face.commit([Put(THING, Thing(id=payload, owner=payload, email=payload))])).done
    assert [thing.id for thing in drive(face.find(THING, "owner", payload))] == [payload]
    assert drive(face.get(THING, "secret")).owner == "ada"
    store.close()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_that_is_no_field_is_refused_before_any_statement(tmp_path: Path, payload: str) -> None:
    """Names are looked up among the kind's own; one that comes from a caller finds nothing."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    face = store.driven()
    for work in (
        face.find(THING, payload, "x"),
        face.commit([Fewer(THING, payload, "x", 1)]),
        face.commit([Require(THING, "a", payload, 0)]),
        face.commit([Add(THING, "a", payload, 1)]),
    ):
        with pytest.raises(UsageError):
            drive(work)
    store.close()
