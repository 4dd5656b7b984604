"""The key ring: a key for every purpose, from roots that rotate."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from garrison.crypto.ring import KeyRing
from garrison.errors import SecretError, UsageError
from garrison.model.secret import Secret

OLD, NEW = bytes(range(32)), bytes(range(100, 150))


def test_each_purpose_and_each_root_has_its_own_key() -> None:
    """Whoever learns one key learns no other."""
    ring = KeyRing([NEW, OLD])

    keys = {ring.key(purpose, root) for purpose in ("audit-chain", "api-key") for root in ring.ids}

    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_the_key_is_hkdf_of_the_root() -> None:
    """RFC 5869 by hand, so that another implementation can restore a backup."""
    extracted = hmac.digest(b"garrison", OLD, hashlib.sha256)

    assert KeyRing([OLD]).key("api-key") == hmac.digest(extracted, b"garrison/1/purpose:api-key\x01", hashlib.sha256)


def test_an_old_root_still_gives_its_keys_after_rotation() -> None:
    """What was made before is still checked; what is made now uses the new root."""
    before, after = KeyRing([OLD]), KeyRing([Secret(NEW), Secret(OLD)])

    assert after.key("api-key", before.current) == before.key("api-key") == before.key("api-key", before.current)
    assert after.key("api-key") != before.key("api-key")
    assert after.current != before.current
    assert before.current in after
    assert after.current not in before


def test_a_root_that_is_gone_is_an_error_for_the_operator() -> None:
    """Guessing another key would only move the fault elsewhere."""
    with pytest.raises(SecretError, match="no root key"):
        KeyRing([NEW]).key("api-key", KeyRing([OLD]).current)


@pytest.mark.parametrize(
    "roots", [[], [OLD, OLD], [bytes(31)], [bytes(64)], [b"password" * 8], [b"changeme" * 5]], ids=str
)
def test_a_weak_root_is_refused(roots: list[bytes]) -> None:
    """Short, repeated, constant and typed ones."""
    with pytest.raises(SecretError):
        KeyRing(roots)


@pytest.mark.parametrize("purpose", ["", "API", "a b", "id\n", "ä", "a" * 64, "1a"])
def test_a_purpose_is_a_word_of_the_code(purpose: str) -> None:
    """Text of a sender never chooses a key."""
    with pytest.raises(UsageError):
        KeyRing([OLD]).key(purpose)


def test_the_repr_shows_ids_and_no_key() -> None:
    """A ring lands in logs one day."""
    ring = KeyRing([OLD])

    assert repr(ring) == f"KeyRing({ring.current})"
