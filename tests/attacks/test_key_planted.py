"""Somebody who can write the store, but has no root key, plants or changes rows."""

from __future__ import annotations

import hashlib
import hmac
import random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from garrison.credentials.key_format import KeyFormat
from garrison.credentials.key_import import ForeignKey
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_record import KEYS, STRAYS, KeySecret
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.stores.protocols import Drop, Put
from tests.credentials.world import ADA, HOUR, World


def test_a_row_with_the_hash_of_ones_own_key_does_not_work() -> None:
    """With a plain SHA-256 it would: the attacker picks the key and writes its hash."""
    world = World()
    victim = world.make(ADA, scopes=("notes:write",)).record
    id = "planted000"
    text = KeyFormat("grsn").make("sk", id + "00", random.Random(8).randbytes)
    for mac in (hashlib.sha256(text.encode()).digest(), hmac.digest(b"guess", text.encode(), "sha256")):
        secret = KeySecret(id=id + "00", mac=mac, pepper=world.ring.current, created=0)
        facts = msgspec.msgpack.encode(replace(world.stored(victim.id), id=id, secrets=(secret,)))
        row = replace(world.row(victim.id), id=id, facts=facts, version=0)
        drive(world.store.commit([Drop(KEYS, id), Put(KEYS, row)]))

        assert world.reason(text) == "key_row_forged"


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ("admin:*",)},
        {"owner": "user:root", "subject": "root"},
        {"status": "active"},
        {"expires": 0},
        {"networks": ()},
        {"limits": ()},
        {"counted": False},
        {"environment": "test"},
    ],
    ids=str,
)
def test_a_row_that_was_changed_refuses_and_alarms(change: dict[str, Any]) -> None:
    world = World()
    issued = world.make(networks=("0.0.0.0/0",), limits=("1/h per key",), expires_in="1h", uses=1)
    drive(world.service.quarantine(issued.record.id, world.by()))
    world.clock.advance(2 * HOUR)
    world.hear()
    world.tamper(issued.record.id, **change)

    refusal = World(beside=world).ask(issued.text)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason, refusal.severity) == ("credential_refused", "key_row_forged", "critical")


def test_a_genuine_row_under_anothers_id_refuses() -> None:
    """Copied whole, its seal is right; but it is the seal of another key."""
    world = World()
    mine, theirs = world.make(scopes=("notes:read",)), world.make(scopes=("admin:*",))
    version = world.row(mine.record.id).version
    row = replace(world.row(theirs.record.id), id=mine.record.id, version=version)
    assert drive(world.store.commit([Put(KEYS, row)])).done

    assert world.reason(mine.text) == "key_row_forged"
    assert world.reason(theirs.text) == ""


def test_anothers_secret_in_ones_own_row_refuses() -> None:
    world = World()
    mine, theirs = world.make(), world.make(scopes=("admin:*",))
    world.tamper(theirs.record.id, secrets=world.stored(mine.record.id).secrets)

    assert world.reason(mine.text) == ""
    assert world.reason(theirs.text) == "key_row_forged"


def test_pointing_ones_own_foreign_key_at_anothers_record_refuses() -> None:
    world = World()
    text = "legacy-key-0123456789"
    row = ForeignKey(hash=hashlib.sha256(text.encode()).hexdigest(), order=NewKey(name="mine"))
    mine = drive(world.service.import_hashes([row], world.by()))
    assert not isinstance(mine, Refusal)
    theirs = world.make(scopes=("admin:*",)).record
    stray = drive(world.store.get(STRAYS, mine[0].secrets[0].mac.hex()))
    drive(world.store.commit([Put(STRAYS, replace(stray, key=theirs.id, secret=theirs.secrets[0].id))]))

    assert world.reason(text) == "key_wrong_secret"


def test_the_service_does_not_reseal_a_forged_row() -> None:
    """An operator who rotates a key that was tampered with must not make the forgery genuine."""
    world = World()
    issued = world.make()
    world.tamper(issued.record.id, scopes=("admin:*",))

    for change in (world.service.rotate, world.service.quarantine, world.service.show):
        refusal = drive(change(issued.record.id, world.by()))
        assert isinstance(refusal, Refusal)
        assert refusal.reason == "key_row_forged"
