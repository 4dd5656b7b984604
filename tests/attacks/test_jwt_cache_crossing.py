"""A remembered token answers where it was never checked (GHSA-rp9m-7r4c-75qg and the like)."""

from __future__ import annotations

import os
from typing import Any

import pytest

from garrison.crypto.algorithms import after
from garrison.crypto.key import Key
from garrison.crypto.key_set import KeySet
from garrison.tokens import CachedVerifier, Claims, Issuer, Verifier, new_jwk, read_jwk
from tests.tokens.making import AUDIENCE, ISSUER
from tests.tokens.world import Deployment, reason


@pytest.mark.parametrize(
    ("demands", "refusal"),
    [
        ({"audience": "https://admin.example.com"}, "audience"),
        ({"issuer": "https://other.example.com"}, "issuer"),
        ({"typ": "dpop+jwt"}, "typ"),
        ({"required": ["acr"]}, "claim_missing"),
        ({"keys": KeySet([read_jwk(new_jwk("ES256", os.urandom))])}, "key_unknown"),
    ],
)
def test_an_answer_is_never_given_under_other_demands(demands: dict[str, Any], refusal: str) -> None:
    """Two routes, two verifiers, two memories."""
    process = Deployment().process()
    token = process.issue()
    first = CachedVerifier(process.verifier)
    other: Verifier[Claims] = Verifier(**{"keys": process.keys, "issuer": ISSUER, "audience": AUDIENCE, **demands})
    second = CachedVerifier(other)

    assert process.answer(token, first) == "ada"
    assert process.answer(token, second) == refusal
    assert process.answer(token, first) == "ada"


def test_every_byte_of_the_token_counts() -> None:
    """Also those of the signature: a forged token with the body of a remembered one is no hit."""
    process = Deployment().process()
    token = process.issue()
    cached = CachedVerifier(process.verifier)
    assert process.answer(token, cached) == "ada"

    for place in range(len(token)):
        letter = "A" if token[place] != "A" else "B"
        assert process.answer(token[:place] + letter + token[place + 1 :], cached) not in {"ada", "unavailable"}


def test_a_live_token_is_not_in_memory() -> None:
    """A heap dump of the cache holds hashes, claims and no token."""
    process = Deployment().process()
    token = process.issue()
    cached = CachedVerifier(process.verifier)
    cached.verify(token, process.now)

    assert token not in repr([*cached._new.items(), *cached._old.items()])
    assert token.rpartition(".")[2] not in repr([*cached._new.items(), *cached._old.items()])


@pytest.mark.parametrize("remember", [False, True])
def test_a_key_that_goes_while_its_signature_is_checked_leaves_nothing_behind(remember: bool) -> None:
    """Two threads: one checks, the other takes the key away. The late answer must not outlive the key."""
    real = read_jwk(new_jwk("ES256", os.urandom))
    keys = KeySet([real])
    token = Issuer(keys, ISSUER, AUDIENCE).issue("ada", (now := Deployment().clock.wall()), os.urandom).token

    class Slow(Key):
        """Its check takes so long that meanwhile the key set is changed."""

        def __init__(self) -> None:
            self.kid, self.alg, self.public = real.kid, real.alg, real.public
            self.check = self._check
            self.after = after(self._check)

        def _check(self, message: bytes, signature: bytes) -> bool:
            right = real.check(message, signature)
            keys.drop(real.kid)
            return right

    keys.replace([Slow()])
    plain: Verifier[Claims] = Verifier(keys, ISSUER, AUDIENCE)
    one: Any = CachedVerifier(plain) if remember else plain

    assert one.verify(token, now).sub == "ada", "it was right when it was looked at"
    assert reason(lambda: one.verify(token, now).sub) == "key_unknown"
