"""An attacker is refused as often as the machine can: the disk must not fill, and the flood must not hide anyone."""

from __future__ import annotations

from pathlib import Path

from garrison.audit import Recorder, verify
from garrison.audit.recorder import MOST_PAIRS, MOST_REASONS, MOST_SINGLE
from garrison.model.event import Event
from garrison.model.units import MINUTE
from garrison.stores.protocols import Query
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import START, ManualClock
from garrison.testing.store_case import KEY, KINDS
from tests.stores.storm import drive

LIMIT_OF_A_MINUTE = 12 << 20
"""Bytes that a minute of the worst flood may add: every text as long as it can be."""


def refusal(number: int, text: str) -> Event:
    return Event(
        code="authn_fail",
        at=START + number,
        outcome="refused",
        severity="warning",
        reason=f"key_unknown_{number % 7}",
        address=f"2001:db8:{number >> 16:x}:{number & 65535:x}::1",
        route=text,
        correlation=text,
        subject=text,
    )


def test_a_flood_from_a_hundred_thousand_addresses_is_bounded_and_counted(tmp_path: Path) -> None:
    """With texts as long as the attacker likes; every refusal is still in the sum."""
    flood, path = 100_000, tmp_path / "x.db"
    store = SqliteStore(path, ManualClock(), KINDS, KEY)
    face, recorder = store.driven(), Recorder()
    text = "/x y" * 2_500
    for number in range(flood):
        if events := recorder.take(refusal(number, text)):
            drive(face.append(events))
            if not number % 500:
                drive(face.flush())
    drive(face.append(recorder.due(START + MINUTE)))
    drive(face.flush())
    written = drive(face.read(Query(limit=flood)))
    whole = drive(verify(face, [KEY])).whole
    store.close()

    assert len(written) <= MOST_SINGLE + MOST_PAIRS + MOST_REASONS + 1
    assert sum(sealed.event.count for sealed in written) == flood
    assert path.stat().st_size < LIMIT_OF_A_MINUTE
    assert whole


def test_who_is_refused_during_a_flood_from_one_address_is_recorded_by_name() -> None:
    """One address fills its own ten places, nobody else's."""
    recorder = Recorder()
    for number in range(50_000):
        recorder.take(Event(code="authn_fail", at=START + number, outcome="refused", address="10.9.9.9"))
    quiet = Event(code="authz_fail", at=START + 1, outcome="refused", actor="user:eve", reason="scope_missing")

    assert recorder.take(quiet) == (quiet,)


def test_what_changes_rights_is_recorded_during_the_worst_flood() -> None:
    """Successes never wait behind refusals, and are never folded into a count."""
    recorder = Recorder()
    for number in range(50_000):
        recorder.take(refusal(number, "x"))
    created = Event(code="key_created", at=START + 1, actor="user:eve", subject="key:1")

    assert recorder.take(created) == (created,)


def test_a_text_cannot_make_a_record_large(tmp_path: Path) -> None:
    """A megabyte in each field of an event is some kilobytes in the journal."""
    store = SqliteStore(tmp_path / "x.db", ManualClock(), KINDS, KEY)
    huge = "\u202e" * 1_000_000
    details: dict[str, str | int | bool] = {f"{number}{huge}": huge for number in range(40)}
    drive(store.driven().commit([], [Event(code=huge, at=1, actor=huge, route=huge, details=details)]))
    (sealed,) = drive(store.driven().read(Query()))
    store.close()

    assert len(sealed.body) < 24 * 1024
