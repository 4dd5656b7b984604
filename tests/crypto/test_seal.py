"""Sealed values: read again, never seen, never moved."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.ring import KeyRing
from garrison.crypto.seal import is_current, seal, unseal
from garrison.errors import SecretError

OLD, NEW = KeyRing([bytes(range(32))]), KeyRing([bytes(range(50, 90)), bytes(range(32))])


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_was_sealed_opens_again(plain: bytes, context: str) -> None:
    """Under the root of then, whatever root is current now."""
    context = context.encode("ascii", "replace").decode()
    sealed = seal(OLD, "signing-key", plain, context, os.urandom)

    assert unseal(OLD, "signing-key", sealed, context) == unseal(NEW, "signing-key", sealed, context) == plain
    assert is_current(OLD, sealed)
    assert not is_current(NEW, sealed)


def test_two_seals_of_one_value_differ() -> None:
    """Equal values cannot be seen to be equal."""
    assert seal(OLD, "signing-key", b"x", "", os.urandom) != seal(OLD, "signing-key", b"x", "", os.urandom)


@pytest.mark.parametrize(("purpose", "context"), [("signing-key", "key:b"), ("other", "key:a"), ("signing-key", "")])
def test_a_sealed_value_cannot_be_moved(purpose: str, context: str) -> None:
    """A writer of the store copies one record's secret into another."""
    sealed = seal(OLD, "signing-key", b"secret", "key:a", os.urandom)

    with pytest.raises(SecretError):
        unseal(OLD, purpose, sealed, context)


@given(st.integers(0, 10_000), st.sampled_from("AZaz09-_.="))
def test_no_character_can_be_changed(place: int, letter: str) -> None:
    """Of version, root, nonce, value and tag."""
    sealed = seal(OLD, "signing-key", b"secret", "c", lambda count: bytes(count))
    place %= len(sealed)
    changed = sealed[:place] + letter + sealed[place + 1 :]

    if changed == sealed:
        assert unseal(OLD, "signing-key", changed, "c") == b"secret"
    else:
        with pytest.raises(SecretError):
            unseal(OLD, "signing-key", changed, "c")


@pytest.mark.parametrize(
    "text", ["", "s1", "s1.", "s1..", "s1..QUJD", "s2.00000000.QQ", f"s1.{OLD.current}.QQ", "é.é.é"]
)
def test_anything_else_is_no_sealed_value(text: str) -> None:
    """Only one error, for the operator."""
    with pytest.raises(SecretError):
        unseal(OLD, "signing-key", text, "")
