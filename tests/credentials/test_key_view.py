"""What may be shown of a key, and whether an old secret may go."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from garrison.credentials.key_record import KeyRecord, KeySecret, KeyUse, Status
from garrison.credentials.key_view import IDLE, told, unreadable, view
from tests.credentials.world import HOUR, MINUTE, SECOND

RECORD = KeyRecord(
    id="k",
    name="n",
    kind="sk",
    environment="live",
    owner="service:k",
    subject="k",
    created=1,
    secrets=tuple(KeySecret(id=id, mac=b"", pepper="p", created=1) for id in ("new", "old")),
)


def _use(id: str, last: int, count: int = 1) -> KeyUse:
    return KeyUse(id=id, key="k", last=last, count=count)


@pytest.mark.parametrize(
    ("status", "expires", "now", "shown"),
    [
        ("active", 0, 9, "active"),
        ("active", 5, 4, "active"),
        ("active", 5, 5, "expired"),
        ("quarantined", 5, 5, "quarantined"),
        ("revoked", 5, 5, "revoked"),
        ("canary", 0, 9, "canary"),
    ],
)
def test_of_two_ends_the_one_that_somebody_chose_is_shown(status: Status, expires: int, now: int, shown: str) -> None:
    assert view(replace(RECORD, status=status, expires=expires), now).status == shown


@pytest.mark.parametrize(
    ("new", "old", "now", "state"),
    [
        (0, 0, 9 * IDLE, "in use"),
        (2, 2, 9 * IDLE, "in use"),
        (3, 2, IDLE + 1, "in use"),
        (3, 2, IDLE + 2, "safe to drop"),
        (2, 3, 9 * IDLE, "in use"),
        (1, 0, IDLE + 1, "safe to drop"),
    ],
)
def test_an_old_secret_is_safe_to_drop_when_it_is_idle_and_the_new_one_is_not(
    new: int, old: int, now: int, state: str
) -> None:
    """Both sides of the six hours, and of who was used last; one never used is idle since it was made."""
    uses = [_use(id, last) for id, last in (("new", new), ("old", old)) if last]

    assert [secret.state for secret in view(RECORD, now, uses).secrets] == ["current", state]


def test_what_was_never_used_says_so_and_a_clock_that_steps_back_makes_nothing_idle() -> None:
    newest, old = view(RECORD, 0, [_use("old", 7, 3)]).secrets

    assert (newest.last_used, newest.uses, newest.idle) == (0, 0, 0)
    assert (old.last_used, old.uses, old.idle) == (7, 3, 0)


@pytest.mark.parametrize(
    ("idle", "words"), [(HOUR - 1, "less than an hour"), (HOUR, "1h"), (2 * HOUR - 1, "1h"), (25 * HOUR, "1d1h")]
)
def test_idleness_is_told_in_whole_hours(idle: int, words: str) -> None:
    _, old = view(RECORD, 1 + idle).secrets

    assert old.told == f"old secret idle for {words}, in use"


def test_programs_are_told_instants_and_durations_as_text() -> None:
    """RFC 3339, and null for never."""
    written = told(view(replace(RECORD, expires=SECOND), MINUTE + SECOND // 2, [_use("old", MINUTE)], 7))

    assert (written["created"], written["expires"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z")
    assert (written["status"], written["uses_left"]) == ("expired", 7)
    assert [(each["last_used"], each["expires"], each["idle"]) for each in written["secrets"]] == [
        (None, None, "1m"),
        ("1970-01-01T00:01:00Z", None, "0s"),
    ]


def test_of_an_unreadable_key_nothing_is_believed() -> None:
    written = told(unreadable("k", "key_row_forged"))

    assert (written["id"], written["status"], written["reason"]) == ("k", "unreadable", "key_row_forged")
    assert (written["created"], written["expires"], written["uses_left"]) == (None, None, None)
    assert not any(written[name] for name in ("name", "owner", "scopes", "secrets"))
