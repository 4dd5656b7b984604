"""A stolen database, backup or laptop holds a key that was put there to be stolen."""

from __future__ import annotations

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import Issued
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from tests.credentials.world import ADA, World


def test_its_use_is_refused_as_any_other_and_is_an_alarm() -> None:
    world = World()
    bait = drive(world.service.create(NewKey(name="backup", scopes=("admin:*",)), world.by(), canary=True))
    assert isinstance(bait, Issued)

    for _ in range(2):
        refusal = world.ask(bait.text)
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.reason) == ("credential_refused", "key_canary")
        assert (refusal.severity, refusal.subject, refusal.weight) == ("critical", f"key:{bait.record.id}", 100)


def test_a_wrong_secret_for_it_is_no_alarm() -> None:
    """Its id alone proves no theft; else anybody who sees the list of keys could cry wolf."""
    world = World()
    bait = drive(world.service.create(NewKey(name="backup"), world.by(), canary=True))
    assert isinstance(bait, Issued)
    real = world.make().text
    mixed = bait.text[:25] + real[25:]

    refusal = world.ask(mixed)

    assert isinstance(refusal, Refusal)
    assert refusal.severity == "warning"


def test_users_lay_no_bait() -> None:
    world = World()

    assert isinstance(drive(world.service.create(NewKey(name="bait"), world.by(ADA), canary=True)), Refusal)
