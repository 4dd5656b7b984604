"""MACs and seals: what they say holds for nothing else, and nobody makes them without the root key."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from garrison.credentials.key_record import KeyRecord, KeyRow, KeySecret
from garrison.credentials.keys.mac import KeyMacs, hmac_sha256
from garrison.crypto.ring import KeyRing
from tests.credentials.world import OLD_ROOT, ROOT

RECORD = KeyRecord(
    id="k",
    name="n",
    kind="sk",
    environment="live",
    owner="user:ada",
    subject="ada",
    created=1,
    secrets=(KeySecret(id="k1", mac=b"m", pepper="p", created=1),),
)
OTHER: dict[str, Any] = {
    "id": "l",
    "name": "m",
    "kind": "rk",
    "environment": "test",
    "owner": "user:eve",
    "subject": "eve",
    "subject_kind": "user",
    "issuer": "i",
    "tenant": "t",
    "scopes": ("admin:*",),
    "status": "revoked",
    "reason": "r",
    "created": 2,
    "expires": 2,
    "secrets": (KeySecret(id="k1", mac=b"n", pepper="p", created=1),),
    "networks": ("10.0.0.0/8",),
    "routes": ("GET /x",),
    "origins": ("https://a.example",),
    "known": ("10.0.0.0/8",),
    "limits": ("5/s per key",),
    "counted": True,
    "purge": 3,
}
MACS = KeyMacs(KeyRing([ROOT]))
ROW = MACS.row(RECORD)


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_the_mac_is_hmac_sha_256(key: bytes, message: bytes) -> None:
    """RFC 2104, by the standard library."""
    assert hmac_sha256(key)(message) == hmac.digest(key, message, "sha256")


def test_a_mac_of_one_pepper_says_nothing_under_another() -> None:
    macs = KeyMacs(KeyRing([ROOT, OLD_ROOT]))
    now, before = macs.peppers
    mac = macs.mac(b"key")

    assert macs.proves(b"key", mac, now)
    assert not macs.proves(b"key", mac, before)
    assert macs.mac_under(before, b"key") != macs.mac_under(now, b"key")


def test_a_pepper_that_is_gone_proves_nothing() -> None:
    assert not MACS.proves(b"key", MACS.mac(b"key"), "00000000")
    assert not MACS.proves(b"key", b"", "00000000")


def test_a_row_is_read_as_it_was_written() -> None:
    assert MACS.open(ROW) == RECORD
    assert MACS.open(replace(ROW, version=9)) == RECORD, "the store counts the version"


@pytest.mark.parametrize("field", sorted(OTHER))
def test_no_fact_can_be_changed_unseen(field: str) -> None:
    changed = MACS.row(replace(RECORD, **{field: OTHER[field]}))

    assert MACS.open(replace(ROW, facts=changed.facts)) == "key_row_forged"
    assert MACS.open(replace(changed, seal=ROW.seal)) == "key_row_forged"


def test_every_field_of_a_key_is_among_those() -> None:
    assert set(OTHER) == set(KeyRecord.__struct_fields__)


@pytest.mark.parametrize("place", [{"id": "l"}, {"owner": "user:eve"}])
def test_a_genuine_key_in_anothers_place_is_forged(place: dict[str, str]) -> None:
    """Copied whole, its seal is right; but it is the seal of another key."""
    assert MACS.open(replace(ROW, **place)) == "key_row_forged"


@pytest.mark.parametrize(
    "change", [{"seal": b""}, {"seal": bytes(32)}, {"root": ""}, {"root": "00000000"}, {"facts": b""}]
)
def test_what_is_not_sealed_by_us_is_not_read(change: dict[str, Any]) -> None:
    assert MACS.open(replace(ROW, **change)) == "key_row_forged"


def test_a_row_of_an_earlier_release_is_still_read() -> None:
    """It lacks the fields that were added since; what is sealed is the bytes that are there."""
    facts = msgspec.msgpack.decode(ROW.facts)
    assert "limits" not in facts, "fields at their default are not written"

    assert MACS.open(ROW) == replace(RECORD, limits=())


def test_a_seal_outlives_the_rotation_of_its_root_but_not_its_loss() -> None:
    row = KeyMacs(KeyRing([OLD_ROOT])).row(RECORD)

    assert KeyMacs(KeyRing([ROOT, OLD_ROOT])).open(row) == RECORD
    assert MACS.open(row) == "key_row_forged"


def sealed(facts: bytes) -> KeyRow:
    """Give a row that is genuine, whatever it holds."""
    return replace(ROW, facts=facts, seal=MACS._seal(MACS.pepper, facts))


@pytest.mark.parametrize("facts", [b"", b"\xc1", msgspec.msgpack.encode([]), msgspec.msgpack.encode({"id": "k"})])
def test_a_genuine_row_that_cannot_be_read_is_a_reason_and_no_fault(facts: bytes) -> None:
    assert MACS.open(sealed(facts)) == "key_row_unreadable"


def test_a_restriction_of_a_later_release_is_not_left_out() -> None:
    """After a way back to this release a key would have more rights than it was given."""
    facts = {**msgspec.to_builtins(RECORD, builtin_types=(bytes,)), "hours": "8-17"}

    assert MACS.open(sealed(msgspec.msgpack.encode(facts))) == "key_row_unreadable"
    del facts["hours"]
    assert MACS.open(sealed(msgspec.msgpack.encode(facts))) == RECORD


def test_a_revoked_key_is_nobodys_burden() -> None:
    """It does not count among its owner's keys."""
    assert MACS.row(RECORD).holder == RECORD.owner
    assert MACS.row(replace(RECORD, status="revoked")).holder == ""
