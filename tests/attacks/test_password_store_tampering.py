"""A writer of the store plants, moves or inflates password hashes."""

from __future__ import annotations

import os
import re

import pytest
from argon2.low_level import Type, hash_secret_raw

from garrison.crypto import base64
from garrison.crypto.password import Cost, Passwords
from garrison.crypto.ring import KeyRing

CHEAP = Cost(memory=7 * 1024, passes=1)
passwords = Passwords(KeyRing([bytes(range(32))]), CHEAP)
STORED = passwords.hash("secret", os.urandom, "user:ada")


def test_the_hash_of_the_attackers_own_account_opens_no_other() -> None:
    """Copying one's own row over the victim's is the oldest trick of a database writer."""
    own = passwords.hash("attacker's", os.urandom, "user:eve")

    assert passwords.verify("attacker's", own, "user:eve")
    assert not passwords.verify("attacker's", own, "user:ada")


def test_a_hash_made_without_the_pepper_opens_nothing() -> None:
    """The attacker knows argon2, salt and format, but no root key."""
    salt = bytes(16)
    tag = hash_secret_raw(b"mine", salt, 1, 7168, 1, 32, Type.ID)
    root = STORED.split(".")[1]
    planted = f"$garrison1$m=7168,t=1,p=1${base64.encode(salt)}$s1.{root}.{base64.encode(bytes(12) + tag + bytes(16))}"

    assert passwords.needs_rehash(planted) is False, "the format is right, so the refusal is the seal's"
    assert not passwords.verify("mine", planted)


@pytest.mark.parametrize(
    "parameters",
    [
        "m=999999999,t=1,p=1",
        "m=9999999,t=1,p=1",
        "m=262145,t=1,p=1",
        "m=7168,t=99,p=1",
        "m=7168,t=1,p=9",
        "m=8192,t=1,p=1",
    ],
)
def test_hostile_parameters_never_reach_argon2(parameters: str) -> None:
    """A stored m of 999,999,999 KiB would take all memory; the last is in bounds, and refused by the seal."""
    inflated = re.sub(r"m=\d+,t=\d+,p=\d+", parameters, STORED)

    assert not passwords.verify("secret", inflated, "user:ada")


@pytest.mark.parametrize("place", range(1, len(STORED), 7))
def test_no_character_of_a_stored_hash_can_be_changed(place: int) -> None:
    """Beyond the root's id, which is a fault of the operator."""
    letter = "A" if STORED[place] != "A" else "B"
    changed = STORED[:place] + letter + STORED[place + 1 :]

    assert not passwords.verify("secret", changed, "user:ada")


@pytest.mark.parametrize("stored", [None, "", "x", "$2b$12$" + "a" * 53, STORED + "\n", STORED[:-1], "é" * 142])
def test_an_unknown_account_and_a_broken_row_refuse_after_the_same_work(stored: str | None) -> None:
    """No answer comes before argon2 has run: see the dummy in `verify`."""
    assert not passwords.verify("", stored, "user:ada")
    assert not passwords.verify("secret", stored, "user:ada")
