"""Guessing keys and ids: nothing in an answer, in the work or in the store's load tells a hit from a miss."""

from __future__ import annotations

import random
from typing import Any

import pytest

from garrison.credentials.key_format import CHECK, KeyFormat, check_of
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import Issued
from garrison.credentials.keys import mac
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from tests.credentials.world import HOUR, World


def _with_check(body: str) -> str:
    return body + check_of(body.encode()).decode()


def _cases(world: World) -> dict[str, str]:
    """A key for each way to fail."""
    good, expired, revoked = world.make(), world.make(expires_in="1h"), world.make()
    drive(world.service.revoke(revoked.record.id, world.by()))
    canary = drive(world.service.create(NewKey(name="bait"), world.by(), canary=True))
    assert isinstance(canary, Issued)
    forged = world.make()
    world.tamper(forged.record.id, scopes=("admin:*",))
    world.clock.advance(HOUR)
    world.hear()
    body = good.text[:-CHECK]
    return {
        "key_wrong_secret": _with_check(body[:-1] + ("A" if body[-1] != "A" else "B")),
        "key_unknown": KeyFormat("grsn").make("sk", "0" * 12, random.Random(1).randbytes),
        "key_expired": expired.text,
        "key_revoked": revoked.text,
        "key_canary": canary.text,
        "key_row_forged": forged.text,
        "key_environment": _with_check(body.replace("_live_", "_test_")),
    }


def test_all_failures_answer_alike_and_differ_in_the_journal_alone() -> None:
    world = World()
    told: dict[str, tuple[Any, ...]] = {}
    for reason, text in _cases(world).items():
        refusal = world.ask(text)
        assert isinstance(refusal, Refusal)
        assert refusal.reason == reason
        told[reason] = (refusal.code, refusal.status, refusal.title, refusal.detail, refusal.headers, refusal.members)

    assert len(set(map(repr, told.values()))) == 1


@pytest.mark.parametrize("reason", ["key_wrong_secret", "key_unknown", "key_revoked", "key_row_forged"])
def test_one_mac_is_computed_whether_there_is_a_key_or_not(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is counted, since a timed test would lie: once per presented key."""
    world = World()
    text = _cases(world)[reason]
    proofs: list[bytes] = []
    real = mac.KeyMacs.proves

    def counted(self: mac.KeyMacs, raw: bytes, stored: bytes, pepper: str) -> bool:
        proofs.append(stored)
        return real(self, raw, stored, pepper)

    monkeypatch.setattr(mac.KeyMacs, "proves", counted)
    world.reason(text)

    assert len(proofs) == 1


def test_garbage_never_reaches_the_store() -> None:
    world = World()
    text = world.make().text
    world.tend()
    world.records.gets.clear()
    for wrong in (text[:-1], text + "0", text[:-1] + ("0" if text[-1] != "0" else "1"), text.swapcase(), "x", "'--"):
        assert world.reason(wrong) in ("key_form", "key_check")

    assert world.records.gets == []


def test_invented_ids_hardly_ever_reach_the_store() -> None:
    """Well-formed, with a right checksum, and none of them was ever issued."""
    world = World()
    for _ in range(20):
        world.make()
    world.tend()
    world.records.gets.clear()
    draw = random.Random(6)
    for _ in range(500):
        id = "".join(draw.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", k=12))
        assert world.reason(KeyFormat("grsn").make("sk", id, draw.randbytes)) == "key_unknown"

    assert len(world.records.gets) < 20


def test_wrong_secrets_for_one_key_cost_the_store_two_reads() -> None:
    """The id is public: whoever knows it must not be able to make the store work, nor to push others out."""
    world = World()
    issued = world.make()
    draw = random.Random(6)
    for _ in range(50):
        guess = KeyFormat("grsn").make("sk", issued.record.secrets[0].id, draw.randbytes)
        assert world.reason(guess) == "key_wrong_secret"

    assert len(world.records.gets) == 2
    assert len(world.keys.lookup.cache.proved) == 0


def test_guesses_weigh_more_than_typing_errors() -> None:
    """A well-formed key that never existed was made on purpose; a wrong check is a slip of the pen."""
    world = World()
    cases = _cases(world)
    text = world.make().text
    refusals = [world.ask(cases[reason]) for reason in ("key_unknown", "key_wrong_secret")]
    slip = world.ask(text[:-1] + ("0" if text[-1] != "0" else "1"))

    assert isinstance(slip, Refusal)
    for refusal in refusals:
        assert isinstance(refusal, Refusal)
        assert refusal.weight >= 20 * slip.weight > 0


def test_the_journal_learns_which_key_is_under_attack() -> None:
    world = World()
    refusal = world.ask(_cases(world)["key_wrong_secret"])

    assert isinstance(refusal, Refusal)
    assert refusal.subject.startswith("key:")
    assert len(refusal.subject) == len("key:") + 10
