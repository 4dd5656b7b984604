"""MACs and seals: what they say holds for nothing else, and nobody makes them without the root key."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from garrison.credentials.key_record import KeyRecord, KeySecret
from garrison.credentials.keys.mac import KeyMacs, _seal_of, hmac_sha256
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
    secrets=(KeySecret(id="k1", mac="00", pepper="p", created=1),),
)
OTHER: dict[str, Any] = {
    "id": "l",
    "name": "m",
    "kind": "rk",
    "environment": "test",
    "owner": "user:eve",
    "holder": "user:eve",
    "subject": "eve",
    "subject_kind": "user",
    "issuer": "i",
    "tenant": "t",
    "scopes": ("admin:*",),
    "status": "revoked",
    "reason": "r",
    "created": 2,
    "expires": 2,
    "secrets": (KeySecret(id="k1", mac="01", pepper="p", created=1),),
    "networks": ("10.0.0.0/8",),
    "routes": ("GET /x",),
    "origins": ("https://a.example",),
    "known": ("10.0.0.0/8",),
    "limits": ("5/s per key",),
    "counted": True,
    "purge": 3,
}


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_the_mac_is_hmac_sha_256(key: bytes, message: bytes) -> None:
    """RFC 2104, by the standard library."""
    assert hmac_sha256(key)(message) == hmac.digest(key, message, "sha256")


def test_a_mac_of_one_pepper_says_nothing_under_another() -> None:
    macs = KeyMacs(KeyRing([ROOT, OLD_ROOT]))
    now, before = macs.peppers
    mac = macs.mac(b"key").hex()

    assert macs.proves(b"key", mac, now)
    assert not macs.proves(b"key", mac, before)
    assert macs.mac_under(before, b"key") != macs.mac_under(now, b"key")


def test_a_pepper_that_is_gone_proves_nothing() -> None:
    macs = KeyMacs(KeyRing([ROOT]))

    assert not macs.proves(b"key", macs.mac(b"key").hex(), "00000000")
    assert not macs.proves(b"key", "", "00000000")


@pytest.mark.parametrize("field", sorted(OTHER))
def test_no_field_of_a_row_can_be_changed_unseen(field: str) -> None:
    macs = KeyMacs(KeyRing([ROOT]))
    sealed = macs.seal(RECORD)

    assert macs.genuine(sealed)
    assert not macs.genuine(replace(sealed, **{field: OTHER[field]}))


def test_every_field_of_the_row_is_among_those() -> None:
    assert {*OTHER, "version", "seal"} == set(KeyRecord.__struct_fields__)


def test_the_stores_version_is_not_sealed() -> None:
    """The store counts it up at each put."""
    macs = KeyMacs(KeyRing([ROOT]))

    assert macs.genuine(replace(macs.seal(RECORD), version=9))


ROOT_ID = KeyRing([ROOT]).current
SEALS = [
    "",
    ".",
    "..",
    "00000000.",
    "x" * 73,
    f"{ROOT_ID}.24.",
    f"{ROOT_ID}.0.",
    f"{ROOT_ID}.-1.",
    f"{ROOT_ID}.99.",
    "٣",
]


@pytest.mark.parametrize("seal", [*SEALS, "٣", f"{ROOT_ID}.x.00", f"{ROOT_ID}.²³.00", f"{ROOT_ID}.00"])
def test_what_is_no_seal_is_not_genuine(seal: str) -> None:
    assert not KeyMacs(KeyRing([ROOT])).genuine(replace(RECORD, seal=seal))


def test_a_row_of_an_earlier_release_stays_genuine_and_no_field_can_be_added_to_it() -> None:
    """Its seal covers the fields there were; what came later must be as if it had never been there."""
    macs = KeyMacs(KeyRing([ROOT]))
    fewer = len(KeyRecord.__struct_fields__) - 2 - 3
    seal = f"{ROOT_ID}.{fewer}.{_seal_of(macs._seals[ROOT_ID], RECORD, fewer)}"

    assert macs.genuine(replace(RECORD, seal=seal))
    for later in ("limits", "counted", "purge"):
        assert not macs.genuine(replace(RECORD, seal=seal, **{later: OTHER[later]}))


def test_a_seal_cannot_be_made_to_cover_less() -> None:
    macs = KeyMacs(KeyRing([ROOT]))
    root, covered, mac = macs.seal(RECORD).seal.split(".")

    for fewer in range(int(covered)):
        assert not macs.genuine(replace(RECORD, seal=f"{root}.{fewer}.{mac}"))


def test_a_seal_outlives_the_rotation_of_its_root_but_not_its_loss() -> None:
    sealed = KeyMacs(KeyRing([OLD_ROOT])).seal(RECORD)

    assert KeyMacs(KeyRing([ROOT, OLD_ROOT])).genuine(sealed)
    assert not KeyMacs(KeyRing([ROOT])).genuine(sealed)
