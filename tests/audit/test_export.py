"""What leaves the house is one line an event, in the other system's own terms."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace

from garrison.audit import FORMS, export, line, read_line, tail
from garrison.audit.codes import CODES
from garrison.audit.verify import Proof
from garrison.errors import UsageError
from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Query, Sealed
from garrison.testing.clock import START, ManualClock
from garrison.testing.store_case import KEY
from tests.audit.journal import events, heads, journal
from tests.stores.storm import drive

LOGIN = Event(
    code="authn_login_fail",
    at=START + 1_234_567,
    actor="user:ada",
    subject="user:ada",
    outcome="refused",
    severity="warning",
    reason="password_wrong",
    address="2001:db8::1",
    route="POST /api/auth/login",
    correlation="4bf92f3577b34da6a3ce929d0e0e4736",
    tenant="acme",
    count=3,
    details={"tries": 3},
)


def sealed(event: Event) -> Sealed:
    records = MemoryRecords(ManualClock(), KEY)
    drive(records.append([event]))
    return events(records)[0]


def test_a_copy_in_json_lines_can_be_proved_like_the_journal() -> None:
    """Byte for byte."""
    records = journal()
    copied = [read_line(line(found)) for found in events(records)]
    proof = Proof([KEY], heads(records))
    for found in copied:
        proof.feed(found)

    assert copied == events(records)
    assert proof.finish().whole


@pytest.mark.parametrize("body", [b'{"code":\n"x","at":1}', b"no json\n{}", b"\xff"])
def test_bytes_somebody_else_put_into_the_store_break_no_line(body: bytes) -> None:
    """The copy has the event as it was read; the proof of the copy finds what the proof of the journal finds."""
    found = replace(sealed(Event(code="x", at=1)), body=body)
    written = line(found)

    assert written.count(b"\n") == 1
    assert read_line(written).event == found.event


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{ "at": 1, "code": "x" }', b'{ "at": 1, "code": "x" }'),
        (b'{"code":"y","at":1}', b'{"code":"x","at":1}'),
    ],
    ids=["the same said otherwise", "another event"],
)
def test_a_line_has_the_bytes_that_were_sealed_if_they_say_what_was_read(body: bytes, kept: bytes) -> None:
    """Written anew, a copy of an older release's events could not be proved; and a copy must not hide an exchange."""
    written = line(replace(sealed(Event(code="x", at=1)), body=body))

    assert written.endswith(b'"event":' + kept + b"}\n")


@pytest.mark.parametrize(
    ("severity", "outcome", "expected"),
    [
        ("info", "success", (1, "Informational", 1)),
        ("warning", "refused", (3, "Medium", 2)),
        ("critical", "failed", (5, "Critical", 2)),
        ("loud", "odd", (0, "Unknown", 0)),
    ],
)
def test_severity_and_status_have_the_numbers_of_ocsf(
    severity: str, outcome: str, expected: tuple[int, str, int]
) -> None:
    """Alarms are set on them; what an application writes itself is unknown, and no alarm."""
    found = sealed(replace(LOGIN, severity=severity, outcome=outcome))
    ocsf, ecs = json.loads(line(found, "ocsf")), json.loads(line(found, "ecs"))

    assert (ocsf["severity_id"], ocsf["severity"], ocsf["status_id"]) == expected
    assert ecs["event"]["severity"] == expected[0]
    assert ecs["event"]["kind"] == ("alert" if severity == "critical" else "event")


@pytest.mark.parametrize(
    ("actor", "subject", "user"),
    [
        ("user:ada", "user:bob", {"uid": "user:bob", "type_id": 1}),
        ("user:ada", "", {"uid": "user:ada", "type_id": 1}),
        ("service:backup", "", {"uid": "service:backup", "type_id": 4}),
        ("operator:console", "", {"uid": "operator:console", "type_id": 0}),
        ("", "", {"uid": "unknown", "type_id": 0}),
    ],
)
def test_the_user_is_whom_it_was_done_to(actor: str, subject: str, user: dict[str, object]) -> None:
    """Else whoever searches for what happened to an account finds what its holder did, or nothing."""
    written = json.loads(line(sealed(replace(LOGIN, actor=actor, subject=subject)), "ocsf"))

    assert written["user"] == user
    assert written["actor"]["user"]["uid"] == (actor or "unknown")


def test_an_unknown_code_is_exported_as_something_else() -> None:
    """OCSF calls it activity 99 of a class; any other number would say what did not happen."""
    written = json.loads(line(sealed(Event(code="shop_order_shipped", at=START)), "ocsf"))

    assert (written["class_uid"], written["activity_id"], written["type_uid"]) == (6003, 99, 600_399)


def test_ocsf_has_what_its_class_demands() -> None:
    """Authentication, 3002, with the attributes OCSF 1.9.0 requires."""
    written = json.loads(line(sealed(LOGIN), "ocsf"))

    assert (written["class_uid"], written["category_uid"], written["type_uid"]) == (3002, 3, 300_201)
    assert (written["severity_id"], written["status_id"], written["time"]) == (3, 2, (START + 1_234_567) // 1_000)
    assert written["user"] == {"uid": "user:ada", "type_id": 1}
    assert written["src_endpoint"] == {"ip": "2001:db8::1"}
    assert written["metadata"]["version"] == "1.9.0"
    assert written["metadata"]["product"]["name"] == "Garrison"
    assert written["metadata"]["correlation_uid"] == LOGIN.correlation
    assert written["unmapped"] == {"subject": "user:ada", "route": "POST /api/auth/login", "tries": 3}


REQUIRED = {
    3002: {"user", "service"},
    3003: {"user", "privileges"},
    3004: {"entity"},
    3007: {"user"},
    6003: {"actor", "api", "src_endpoint"},
}
"""Beyond what every class requires."""


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_exported_in_every_form(code: str) -> None:
    """With everything its class requires, also when the event says next to nothing."""
    for event in (Event(code=code, at=0), Event(code=code, at=2**62, actor="service:x", details={"scopes": "a b"})):
        ocsf = json.loads(line(sealed(event), "ocsf"))
        ecs = json.loads(line(sealed(event), "ecs"))
        every = {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata", "status_id"}

        assert every | REQUIRED[ocsf["class_uid"]] <= ocsf.keys()
        assert ecs["event"]["action"] == code
        assert ecs["@timestamp"].endswith("Z")


def test_ecs_says_the_same_in_its_own_words() -> None:
    """Elastic Common Schema."""
    written = json.loads(line(sealed(LOGIN), "ecs"))

    assert written["@timestamp"] == "2027-01-15T08:00:01.234567Z"
    assert written["event"]["category"] == ["authentication"]
    assert (written["event"]["outcome"], written["event"]["kind"]) == ("failure", "event")
    assert (written["user"], written["organization"]) == ({"id": "user:ada"}, {"id": "acme"})
    assert written["source"]["ip"] == "2001:db8::1"
    assert written["garrison"]["details"] == {"tries": 3}


def test_export_writes_what_a_query_asks_for() -> None:
    """All of it unless told otherwise, over any number of pages."""
    records = journal(2_500)
    lines: list[bytes] = []

    assert drive(export(records, lines.append)) == 2_500
    assert drive(export(records, lines.append, "ecs", Query(subject="n:7", limit=0))) == 1
    assert drive(export(records, lines.append, "ocsf", Query(limit=1_200))) == 1_200
    assert len(lines) == 2_500 + 1 + 1_200
    assert [read_line(text).sequence for text in lines[:2_500]] == list(range(1, 2_501))


def test_tail_gives_the_newest_in_the_order_they_happened() -> None:
    """With and without a query."""
    records = journal(9)

    assert [found.sequence for found in drive(tail(records, Query(limit=3)))] == [7, 8, 9]
    assert [found.sequence for found in drive(tail(records, Query(subject="n:1")))] == [2]
    assert len(drive(tail(records))) == 9


def test_a_form_there_is_not_and_a_line_that_is_none() -> None:
    """Both say so."""
    assert set(FORMS) == {"jsonl", "ocsf", "ecs"}
    with pytest.raises(UsageError, match="cef"):
        line(sealed(LOGIN), "cef")
    with pytest.raises(msgspec.MsgspecError):
        read_line(b'{"writer": "main"}')
