"""Password hashing: argon2id under a pepper that rotates."""

from __future__ import annotations

import os

import pytest

from garrison.crypto.password import MAX_BYTES, Cost, Passwords, normal_form
from garrison.crypto.ring import KeyRing
from garrison.errors import SecretError, UsageError

CHEAP = Cost(memory=7 * 1024, passes=1)
OLD, NEW = bytes(range(32)), bytes(range(50, 90))
passwords = Passwords(KeyRing([OLD]), CHEAP)


def test_the_right_password_is_recognised_and_no_other() -> None:
    """Also one that only another account has."""
    stored = passwords.hash("correct horse", os.urandom, "user:ada")

    assert passwords.verify("correct horse", stored, "user:ada")
    assert not passwords.verify("correct horsf", stored, "user:ada")
    assert not passwords.verify("", stored, "user:ada")


def test_the_default_cost_is_what_owasp_asks() -> None:
    """19 MiB, 2 passes, 1 lane, and it is written into the hash."""
    stored = Passwords(KeyRing([OLD])).hash("x", os.urandom)

    assert stored.startswith("$garrison1$m=19456,t=2,p=1$")
    assert Passwords(KeyRing([OLD])).verify("x", stored)


def test_two_ways_of_writing_one_letter_are_one_password() -> None:
    """NFC: a phone and a desktop write an umlaut differently."""
    stored = passwords.hash("Zu\u0308rich", os.urandom)

    assert passwords.verify("Z\u00fcrich", stored)


def test_a_long_password_counts_to_its_last_byte() -> None:
    """Nothing is cut, as bcrypt does after 72 bytes."""
    longest = "a" * MAX_BYTES
    stored = passwords.hash(longest, os.urandom)

    assert passwords.verify(longest, stored)
    assert not passwords.verify(longest[:-1] + "b", stored)
    assert not passwords.verify(longest + "a", stored)


@pytest.mark.parametrize("password", ["a" * 1025, "ä" * 513, "\ud800", "\ufb2c" * 400])
def test_what_is_too_long_or_no_text_has_no_normal_form(password: str) -> None:
    """The last is 1,200 bytes as typed and 2,400 in NFC."""
    assert normal_form(password) is None
    assert not passwords.verify(password, passwords.hash("", os.urandom))
    with pytest.raises(UsageError):
        passwords.hash(password, os.urandom)


def test_the_pepper_rotates_while_nobody_logs_in() -> None:
    """Afterwards the old root may be forgotten."""
    stored = passwords.hash("secret", os.urandom, "user:ada")
    both = Passwords(KeyRing([NEW, OLD]), CHEAP)

    moved = both.repepper(stored, os.urandom, "user:ada")

    assert Passwords(KeyRing([NEW]), CHEAP).verify("secret", moved, "user:ada")
    assert both.verify("secret", stored, "user:ada")
    assert both.repepper(moved, os.urandom, "user:ada") == moved
    with pytest.raises(SecretError, match="no root key"):
        Passwords(KeyRing([NEW])).verify("secret", stored, "user:ada")


def test_another_cost_asks_for_a_new_hash() -> None:
    """Cheaper and dearer alike: one cost for all is what makes the time of a failure equal."""
    stored = passwords.hash("x", os.urandom)

    assert not passwords.needs_rehash(stored)
    assert Passwords(KeyRing([OLD])).needs_rehash(stored)
    assert passwords.needs_rehash("$2b$12$abc")


@pytest.mark.parametrize("stored", ["", "x", "$garrison1$m=7168,t=1,p=1$$"])
def test_what_is_no_hash_cannot_be_moved(stored: str) -> None:
    """It would be lost."""
    with pytest.raises(SecretError):
        passwords.repepper(stored, os.urandom)


@pytest.mark.parametrize(
    "cost", [(7167, 1, 1), (262145, 1, 1), (19456, 0, 1), (19456, 11, 1), (19456, 2, 0), (19456, 2, 5)]
)
def test_a_cost_out_of_bounds_is_refused(cost: tuple[int, int, int]) -> None:
    """Too cheap to protect, or dear enough to stop the machine."""
    memory, passes, lanes = cost

    with pytest.raises(UsageError):
        Cost(memory=memory, passes=passes, lanes=lanes)
