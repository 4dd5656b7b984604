"""The whole question about a token."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.guard.drive import drive
from garrison.stores.news import FRESH
from garrison.tokens import CachedVerifier, Claims, Issuer, KeySet, Verifier, new_jwk, public_jwk, read_jwk, secret_key
from garrison.tokens.checker import Checker, Lasting, Trusted
from garrison.tokens.jwks import Jwks
from tests.tokens.hostile import HOSTILE
from tests.tokens.making import AUDIENCE, SECRET, b64, made, sealed
from tests.tokens.world import Deployment, Process, Publisher, reason

FOREIGN = "https://accounts.foreign.example"


class Two:
    """A process that trusts itself and a foreign issuer."""

    def __init__(self) -> None:
        self.own: Process = Deployment().process()
        self.key = read_jwk(new_jwk("ES256", os.urandom))
        self.publisher = Publisher(json.dumps({"keys": [public_jwk(self.key)]}).encode())
        self.source = Jwks("https://accounts.foreign.example/jwks.json", self.publisher)
        foreign: Verifier[Claims] = Verifier(self.source.keys, FOREIGN, AUDIENCE)
        self.checker = Checker(
            [Trusted(CachedVerifier(self.own.verifier)), Trusted(foreign, self.source)],
            self.own.revoked,
            self.own.records,
        )

    def foreign_token(self, key: Any = None, issuer: str = FOREIGN) -> str:
        return Issuer(KeySet([key or self.key]), issuer, AUDIENCE).issue("bob", self.own.now, os.urandom).token

    def answer(self, token: str | bytes, monotonic: int | None = None) -> str:
        at = self.own.clock.monotonic() if monotonic is None else monotonic
        return reason(lambda: drive(self.checker.check(token, self.own.now, at)).sub)


def test_each_issuers_tokens_are_believed_by_its_own_keys() -> None:
    """The first foreign token fetches them, the next do not."""
    two = Two()

    assert two.answer(two.own.issue()) == "ada"
    assert two.answer(two.foreign_token()) == "bob"
    assert two.answer(two.foreign_token().encode()) == "bob"
    assert two.publisher.asked == 1


def test_a_token_is_refused_by_the_keys_of_the_issuer_it_names() -> None:
    """Whoever signs for one issuer signs for no other."""
    two = Two()
    own_key = two.own.keys.signer()

    assert two.answer(two.foreign_token(issuer="https://id.example.com")) == "key_unknown"
    assert two.answer(two.foreign_token(key=own_key)) == "key_unknown"
    assert two.answer(two.foreign_token(issuer="https://nobody.example")) == "issuer"


def test_an_unknown_key_is_asked_for_once_and_then_known() -> None:
    """The issuer rotated."""
    two = Two()
    assert two.answer(two.foreign_token()) == "bob"
    new = read_jwk(new_jwk("ES256", os.urandom))
    two.publisher.document = json.dumps({"keys": [public_jwk(new)]}).encode()

    assert two.answer(two.foreign_token(key=new)) == "key_unknown", "within the cooldown"
    assert two.answer(two.foreign_token(key=new), two.own.clock.monotonic() + 30_000_000) == "bob"
    assert two.publisher.asked == 2


def test_keys_that_cannot_be_had_are_nobodys_decision() -> None:
    """Not a refusal: the guard answers 503, and the issuer's users try again."""
    two = Two()
    two.publisher.down = True

    assert two.answer(two.foreign_token()) == "unavailable"
    assert two.answer(two.own.issue()) == "ada"


def test_what_is_not_proved_fresh_is_asked_of_the_store() -> None:
    """And when the store does not answer, nobody passes."""
    deployment = Deployment()
    here, there = deployment.process(), deployment.process()
    there.keys.replace(here.keys)
    checker = Checker([Trusted(there.verifier)], there.revoked, there.records)
    token = here.issue()
    claims = here.verifier.verify(token, here.now)
    there.poll()
    ending = here.revoked.token(claims.iss, claims.jti, claims.expires, here.now, os.urandom)
    assert drive(here.revoked.end(here.records, [ending]))
    heard = deployment.clock.monotonic()

    def answer(monotonic: int) -> str:
        return reason(lambda: drive(checker.check(token, here.now, monotonic)).sub)

    assert answer(heard + FRESH - 1) == "ada", "within the second"
    assert answer(heard + FRESH) == "revoked"
    deployment.records.close()
    assert answer(heard + FRESH) == "unavailable"


def test_the_same_answers_in_a_loop() -> None:
    """One coroutine, awaited or driven."""
    two = Two()
    monotonic = two.own.clock.monotonic()

    async def both() -> list[str]:
        tokens = two.own.issue(), two.foreign_token()
        return [(await two.checker.check(token, two.own.now, monotonic)).sub for token in tokens]

    assert asyncio.run(both()) == ["ada", "bob"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_hostile_set_is_refused_here_too(name: str) -> None:
    """The look at `iss` that chooses the verifier believes nothing."""
    assert Two().answer(HOSTILE[name][0]) not in {"ada", "unavailable"}


@given(st.binary(max_size=100) | st.text(max_size=60).map(str.encode))
def test_nothing_else_ever_escapes(raw: bytes) -> None:
    """As a token, and as its payload."""
    two = Two()

    for token in (raw, made(None, raw), sealed(b64({"alg": "ES256"}), raw), raw.decode("latin-1")):
        assert two.answer(token) not in {"ada", "unavailable"}


def test_a_checker_trusts_each_issuer_once() -> None:
    """Two entries for one would be two sets of demands."""
    one: Verifier[Claims] = Verifier(KeySet([secret_key(SECRET)]), FOREIGN, AUDIENCE)
    process = Deployment().process()

    for trusted in ([], [Trusted(one), Trusted(CachedVerifier(one))]):
        with pytest.raises(UsageError):
            Checker(trusted, process.revoked, process.records)


def test_too_long_is_said_before_anything_is_read() -> None:
    """A payload of a mebibyte is not decoded to look for its issuer."""
    assert Two().answer(made(pad="a" * 9000)) == "too_long"
    assert Two().answer("a.b") == "form"


@pytest.mark.parametrize("cached", [True, False])
def test_what_was_believed_stands_until_something_changes(cached: bool) -> None:
    """Expiry, keys, an ending, news that is not fresh: each is looked at again, without waiting."""
    process = Deployment().process()
    verifier: Any = CachedVerifier(process.verifier) if cached else process.verifier
    checker = Checker([Trusted(verifier)], process.revoked, process.records)
    monotonic = process.clock.monotonic()
    process.poll()

    def believed(token: str) -> Lasting:
        assert drive(checker.check(token, process.now, monotonic)).sub == "ada"
        lasting = checker.lasting(token)
        assert lasting is not None
        return lasting

    tokens = [process.issue(session=f"s{number}") for number in range(2)]
    lasting = [believed(token) for token in tokens]

    def stands(number: int, now: int = process.now, at: int = monotonic) -> bool:
        return checker.stands(lasting[number], tokens[number].encode(), now, at)

    assert stands(0)
    assert not stands(0, now=process.now + 900_000_000)
    assert not stands(0, at=monotonic + FRESH)
    ending = process.revoked.session("https://id.example.com", "s0", process.now, os.urandom)
    assert drive(process.revoked.end(process.records, [ending]))
    assert [stands(0), stands(1)] == [False, True]
    process.keys.drop(process.keys.signer().kid)
    assert not stands(1)


def test_a_signature_is_checked_anew_unless_the_token_is_cached() -> None:
    """What a token said is remembered; that it was signed is not taken from memory."""
    process = Deployment().process()
    checker = Checker([Trusted(process.verifier)], process.revoked, process.records)
    monotonic = process.clock.monotonic()
    process.poll()
    token, other = process.issue().encode(), process.issue().encode()
    drive(checker.check(token, process.now, monotonic))
    lasting = checker.lasting(token)
    forged = token[: token.rindex(b".")] + other[other.rindex(b".") :]

    assert lasting is not None
    assert checker.stands(lasting, token, process.now, monotonic)
    assert not checker.stands(lasting, forged, process.now, monotonic)


def test_what_no_cache_remembers_has_nothing_that_lasts() -> None:
    """It was pushed out between two steps: then all steps are taken."""
    process = Deployment().process()
    checker = Checker([Trusted(CachedVerifier(process.verifier))], process.revoked, process.records)

    assert checker.lasting(process.issue()) is None


def test_what_was_believed_does_not_stand_when_the_keys_are_due() -> None:
    """They have to be read first, and that may wait."""
    two = Two()
    token = two.foreign_token()
    monotonic = two.own.clock.monotonic()
    two.own.poll()
    assert two.answer(token) == "bob"
    lasting = two.checker.lasting(token)

    assert lasting is not None
    assert two.checker.stands(lasting, token.encode(), two.own.now, monotonic)
    two.source._good = None
    assert not two.checker.stands(lasting, token.encode(), two.own.now, monotonic)


@pytest.mark.parametrize("cached", [True, False])
def test_what_was_believed_stands_from_its_first_instant_to_its_last(cached: bool) -> None:
    process = Deployment().process()
    verifier: Any = CachedVerifier(process.verifier) if cached else process.verifier
    checker = Checker([Trusted(verifier)], process.revoked, process.records)
    monotonic = process.clock.monotonic()
    process.poll()
    token = process.issue().encode()
    drive(checker.check(token, process.now, monotonic))
    lasting = checker.lasting(token)
    assert lasting is not None
    since, until = lasting.entry.since, lasting.entry.until

    stands = [checker.stands(lasting, token, now, monotonic) for now in (since - 1, since, until - 1, until)]

    assert stands == [False, True, True, False]
