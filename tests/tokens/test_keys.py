"""Signing keys, rotated in stages."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from msgspec.structs import replace

from garrison.crypto.ring import KeyRing
from garrison.errors import SecretError, StoreError, UsageError
from garrison.guard.drive import drive
from garrison.stores.protocols import Outcome
from garrison.tokens import Claims, Issuer, Verifier
from garrison.tokens.keys import SIGNING_KEYS, Rotation, SigningKeys, StoredKey, ring_keys
from tests.tokens.making import AUDIENCE, ISSUER
from tests.tokens.world import RING, ROOT, Deployment, Process, reason

DAY = 86_400_000_000
RULE = Rotation(every=10 * DAY, announce=DAY, keep=2 * DAY)


class Worker:
    """One worker of a deployment with keys of its own."""

    def __init__(self, deployment: Deployment, ring: KeyRing = RING, alg: str = "ES256") -> None:
        self.process: Process = deployment.process()
        self.signing = SigningKeys(self.process.records, ring, self.process.news, alg, RULE)
        self.issuer = Issuer(self.signing.keys, ISSUER, AUDIENCE, lifetime=DAY)
        self.verifier: Verifier[Claims] = Verifier(self.signing.keys, ISSUER, AUDIENCE)

    def advance(self) -> bool:
        return drive(self.signing.advance(self.process.now, os.urandom))

    def load(self) -> None:
        drive(self.signing.load())

    def issue(self) -> str:
        return self.issuer.issue("ada", self.process.now, os.urandom).token

    def answer(self, token: str) -> str:
        return reason(lambda: self.verifier.verify(token, self.process.now).sub)

    def states(self) -> list[str]:
        return sorted(row.state for row in drive(self.signing.listed()))

    def settle(self) -> None:
        while self.advance():
            pass


def test_the_first_key_is_made_at_once() -> None:
    """A new deployment can sign; nothing else is due."""
    worker = Worker(Deployment())

    assert worker.advance()
    assert worker.states() == ["active"]
    assert worker.answer(worker.issue()) == "ada"
    assert not worker.advance()


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "PS256", "RS256"])
def test_keys_of_every_offered_algorithm_are_made_sealed_and_opened(alg: str) -> None:
    """Another worker reads them back from the store."""
    deployment = Deployment()
    one, two = Worker(deployment, alg=alg), Worker(deployment, alg=alg)
    one.settle()
    two.load()

    assert two.answer(one.issue()) == one.answer(two.issue()) == "ada"


def test_a_key_goes_through_its_stages() -> None:
    """Announced a day before it signs, trusted two days after; no token is ever refused on the way."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    tokens, history = [worker.issue()], [worker.states()]

    for _ in range(14):
        deployment.clock.advance(DAY)
        worker.settle()
        history.append(worker.states())
        assert worker.answer(tokens[-1]) == "expired", "exactly a day old"
        tokens.append(worker.issue())
        assert worker.answer(tokens[-1]) == "ada"

    assert history == [
        *[["active"]] * 9,
        ["active", "next"],
        *[["active", "retired"]] * 2,
        *[["active", "gone"]] * 3,
    ]


def test_a_key_is_published_before_it_signs_and_while_its_tokens_live() -> None:
    """The document has the public halves of exactly what is trusted."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    published = [len(json.loads(worker.signing.document())["keys"])]
    for _ in range(14):
        deployment.clock.advance(DAY)
        worker.settle()
        published.append(len(json.loads(worker.signing.document())["keys"]))

    assert published == [1] * 9 + [2] * 3 + [1] * 3
    key = json.loads(worker.signing.document())["keys"][0]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}


def test_a_key_signs_no_sooner_than_it_was_announced() -> None:
    """A worker that slept through the announcement does not skip it."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    deployment.clock.advance(40 * DAY)

    worker.settle()
    assert worker.states() == ["active", "next"]
    deployment.clock.advance(DAY - 1)
    worker.settle()
    assert worker.states() == ["active", "next"]
    deployment.clock.advance(1)
    worker.settle()
    assert worker.states() == ["active", "retired"]


def test_of_two_workers_one_takes_each_step() -> None:
    """Both read the same state and write: one key, not two."""
    deployment = Deployment()
    one, two = Worker(deployment), Worker(deployment)
    rows = drive(one.signing._stored())
    first = one.signing._due({row.slot: row for row in rows}, one.process.now, os.urandom)
    second = two.signing._due({row.slot: row for row in rows}, two.process.now, os.urandom)

    done = [
        drive(worker.signing._commit(puts, worker.process.now, os.urandom, "key_rotated", "info"))
        for worker, puts in ((one, first), (two, second))
    ]
    one.load()
    two.load()

    assert done == [True, False]
    assert one.states() == ["active"]
    assert two.answer(one.issue()) == "ada"


def test_other_workers_hear_of_a_change() -> None:
    """By news; and by looking once a minute whatever the news."""
    deployment = Deployment()
    one, two = Worker(deployment), Worker(deployment)
    monotonic = deployment.clock.monotonic()
    one.settle()
    assert two.signing.due(monotonic)
    drive(two.signing.refresh(monotonic))
    assert not two.signing.due(monotonic + 59_999_999)
    assert two.signing.due(monotonic + 60_000_000)

    drive(one.signing.compromise(one.signing.keys.signer().kid, one.process.now, os.urandom))
    assert not two.signing.due(monotonic)
    two.process.poll()

    assert two.signing.due(monotonic)
    drive(two.signing.refresh(monotonic))
    assert two.answer(one.issue()) == "ada"


def test_an_unknown_key_is_looked_up_once_a_second_at_most() -> None:
    """Anybody can name one."""
    deployment = Deployment()
    one, two = Worker(deployment), Worker(deployment)
    monotonic = deployment.clock.monotonic()
    drive(two.signing.refresh(monotonic))
    one.settle()

    assert not drive(two.signing.missed(monotonic + 999_999))
    assert drive(two.signing.missed(monotonic + 1_000_000))
    assert two.answer(one.issue()) == "ada"
    assert not drive(two.signing.missed(monotonic + 2_000_000)), "nothing new"


def test_reading_the_same_keys_again_changes_nothing() -> None:
    """Else every minute all remembered tokens would be forgotten."""
    worker = Worker(Deployment())
    worker.settle()
    generation = worker.signing.keys.generation

    worker.load()

    assert worker.signing.keys.generation == generation


@pytest.mark.parametrize("announced", [False, True])
def test_a_compromised_key_is_trusted_no_more_and_another_signs(announced: bool) -> None:
    """The announced one if there is one, else a new one, at once."""
    deployment = Deployment()
    one, two = Worker(deployment), Worker(deployment)
    one.settle()
    if announced:
        deployment.clock.advance(9 * DAY)
        one.settle()
    two.load()
    token, stolen = one.issue(), one.signing.keys.signer().kid

    drive(one.signing.compromise(stolen, one.process.now, os.urandom))

    assert one.answer(token) == "key_unknown"
    assert two.answer(token) == "ada"
    two.process.poll()
    assert two.answer(token) == "key_unknown", "by the news alone, before anything is read"
    two.load()
    assert two.answer(one.issue()) == "ada"
    assert one.states() == ["active", "compromised"]
    assert stolen not in one.signing.document().decode()
    assert [event.severity for event in deployment.events("key_compromised")] == ["critical"] * 2


def test_a_retired_key_can_be_compromised_too() -> None:
    """The active one stays."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    old = worker.signing.keys.signer().kid
    deployment.clock.advance(9 * DAY)
    worker.settle()
    deployment.clock.advance(DAY)
    worker.settle()
    active = worker.signing.keys.signer().kid

    drive(worker.signing.compromise(old, worker.process.now, os.urandom))

    assert worker.signing.keys.signer().kid == active != old
    assert old not in worker.signing.keys


def test_a_key_that_does_not_exist_cannot_be_compromised() -> None:
    """The operator mistyped it, and must know."""
    worker = Worker(Deployment())
    worker.settle()

    with pytest.raises(UsageError, match="no signing key"):
        drive(worker.signing.compromise("other", worker.process.now, os.urandom))


def test_private_halves_are_sealed_and_wiped() -> None:
    """The store never holds one in clear, and none at all once it signs no longer."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    deployment.clock.advance(9 * DAY)
    worker.settle()
    deployment.clock.advance(DAY)
    worker.settle()
    rows = {row.state: row for row in drive(worker.signing.listed())}

    assert all("d" not in row.public for row in rows.values())
    assert rows["active"].sealed.startswith("s1.")
    assert rows["retired"].sealed == ""


class Planted:
    """A store whose rows somebody else wrote."""

    def __init__(self, *rows: StoredKey) -> None:
        self.rows = list(rows)

    async def find(self, _kind: Any, _index: str, _value: str, after: str, _limit: int) -> list[StoredKey]:
        return [] if after else self.rows

    async def commit(self, *_: Any) -> Outcome:
        """Somebody else was always faster."""
        return Outcome(done=False, failed=0, condition="version")


def planted(worker: Worker, *rows: StoredKey) -> None:
    worker.signing._records = Planted(*rows)  # type: ignore[assignment]  # nothing else is asked of it


def test_a_sealed_key_of_one_row_does_not_open_in_another() -> None:
    """A writer of the store gives the active row the sealed half of a key it knows: refused."""
    worker, other = Worker(Deployment()), Worker(Deployment())
    worker.settle()
    other.settle()
    mine, theirs = (drive(one.signing.listed())[0] for one in (worker, other))
    worker.signing.keys.replace([])

    planted(worker, replace(mine, sealed=theirs.sealed))

    with pytest.raises(SecretError):
        worker.load()


def test_a_root_that_is_gone_is_an_error_for_the_operator() -> None:
    """With both in the ring everything works on."""
    deployment = Deployment()
    worker = Worker(deployment)
    worker.settle()
    both = Worker(deployment, KeyRing([bytes(range(50, 90)), ROOT]))
    both.load()

    assert both.answer(worker.issue()) == "ada"
    with pytest.raises(SecretError, match="no root key"):
        Worker(deployment, KeyRing([bytes(range(50, 90))])).load()


def test_a_compromise_that_others_keep_overtaking_is_a_fault_and_not_silence() -> None:
    """The operator must not believe that it was done."""
    worker = Worker(Deployment())
    worker.settle()
    kid = worker.signing.keys.signer().kid
    planted(worker, *drive(worker.signing.listed()))

    with pytest.raises(StoreError, match="kept changing"):
        drive(worker.signing.compromise(kid, worker.process.now, os.urandom))


def test_many_keys_are_read_page_by_page() -> None:
    """Years of rotations."""
    deployment = Deployment()
    worker = Worker(deployment)
    for _ in range(210):
        deployment.clock.advance(11 * DAY)
        worker.settle()

    assert len(drive(worker.signing.listed())) > 100
    assert worker.answer(worker.issue()) == "ada"
    assert SIGNING_KEYS.unique == ("slot",)


def test_a_deployment_that_only_verifies_its_own_needs_no_stored_key() -> None:
    """HS256 from the ring: the current root signs, retired ones still verify."""
    old, new = ring_keys(KeyRing([ROOT])), ring_keys(KeyRing([bytes(range(50, 90)), ROOT]))
    process = Deployment().process(old)
    token = process.issue()
    both: Verifier[Claims] = Verifier(new, ISSUER, AUDIENCE, own=True)
    later = Issuer(new, ISSUER, AUDIENCE).issue("ada", process.now, os.urandom).token

    assert both.verify(token, process.now).sub == both.verify(later, process.now).sub == "ada"
    assert process.answer(later) == "key_unknown"
