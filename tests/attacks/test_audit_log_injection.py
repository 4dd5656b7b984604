"""A caller puts line breaks, terminal codes or half a JSON object into a field that is recorded (CWE-117)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from garrison.audit import FORMS, export, verify
from garrison.model.event import Event
from garrison.stores.protocols import Query
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import KEY, KINDS
from tests.stores.storm import drive

ATTACKS = (
    'x\n{"code":"authn_login_success","at":1,"actor":"user:admin"}',
    'x","actor":"user:admin',
    "x\r\n2027-01-15 login ok",
    "\x1b[2K\x1b[1A\x1b]0;owned\x07",
    "user:\u202enimda",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "a\x00b",
    "\ud800",
    "<script>alert(1)</script>",
    "${jndi:ldap://x/}",
    "%n%s%x",
    "'); DROP TABLE garrison_journal; --",
)


@pytest.mark.parametrize("form", FORMS)
def test_one_event_stays_one_line_in_every_form(tmp_path: Path, form: str) -> None:
    """In every field, and nothing in it reaches a terminal or forges a field."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    face = store.driven()
    for text in ATTACKS:
        forged = Event(
            code="authn_fail",
            at=1,
            actor=text,
            subject=text,
            reason=text,
            address=text,
            route=text,
            correlation=text,
            tenant=text,
            details={text: text},
        )
        drive(face.commit([], [forged]))
        drive(face.append([forged]))
    drive(face.flush())
    lines: list[bytes] = []
    count = drive(export(face, lines.append, form))
    report = drive(verify(face, [KEY]))
    store.close()

    assert count == len(lines) == 2 * len(ATTACKS)
    assert report.whole
    for line in lines:
        text = line.decode()
        assert text.endswith("\n")
        assert text[:-1].isprintable()
        assert json.loads(text).get("actor") != "user:admin"


def test_a_query_is_never_run(tmp_path: Path) -> None:
    """What an operator or a page searches for is a value."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    face = store.driven()
    drive(face.commit([], [Event(code="x", at=1)]))
    for text in ATTACKS[:-2]:
        if text != "\ud800":
            assert drive(face.read(Query(code=text, actor=text, subject=text))) == ()
    assert drive(face.read(Query(code="x' OR '1'='1"))) == ()
    assert len(drive(face.read(Query()))) == 1
    store.close()
