"""Whose tokens are believed, as the policy's `[jwt]` says."""

from __future__ import annotations

import os

import pytest

from garrison.crypto.jwk import new_jwk, read_jwk
from garrison.crypto.key_set import KeySet
from garrison.errors import TokenError
from garrison.guard.drive import drive
from garrison.model.units import DAY, HOUR, SECOND
from garrison.policy.load import load
from garrison.runtime.compose import compose
from garrison.testing.clock import ManualClock
from garrison.tokens.cache import CachedVerifier
from garrison.tokens.claims import LATEST, Claims
from garrison.tokens.issue import Issuer

POLICY = """
service = "tasks"

[jwt]
algorithm = "ES256"
access = "7d"

[routes]
"GET /tasks" = { scopes = [] }
"""


def test_a_retired_key_is_trusted_for_as_long_as_its_last_token_lives() -> None:
    """With tokens of a week, a key that is forgotten after a day takes six days of logins with it."""
    clock = ManualClock()
    runtime = compose(load(POLICY, "development"), clock=clock)
    trust = runtime.driven_side.trust
    signing = trust.signing
    assert signing is not None

    def turn() -> str:
        while drive(signing.advance(clock.wall(), os.urandom)):
            pass
        return signing.keys.signer().kid

    clock.advance(30 * DAY - HOUR)
    first = turn()
    token = trust.issuer.issue("ada", clock.wall(), os.urandom).token
    clock.advance(HOUR)
    assert turn() != first
    clock.advance(7 * DAY - 2 * HOUR)
    turn()

    assert drive(trust.checker.check(token, clock.wall(), clock.monotonic())).sub == "ada"
    clock.advance(DAY)
    turn()
    assert first not in signing.keys
    with pytest.raises(TokenError):
        drive(trust.checker.check(token, clock.wall(), clock.monotonic()))
    runtime.close()


FOREIGN = (
    POLICY
    + """
[jwt.issuers.corp]
issuer = "https://id.example.com"
audience = "tasks"
jwks = "https://id.example.com/jwks"
algorithms = ["ES256"]
max_age = "3d"
"""
)
CORP = "https://id.example.com"


def test_whom_we_ended_is_remembered_for_as_long_as_a_foreign_token_counts() -> None:
    """A foreign issuer writes any `exp` it likes; a token that outlives our memory of the end would work again."""
    clock = ManualClock()
    runtime = compose(load(FOREIGN, "development"), clock=clock)
    face, revoked = runtime.driven_side.face, runtime.revoked
    old = Claims(iss=CORP, sub="eve", aud="tasks", iat=clock.wall() / SECOND, jti="1", exp=LATEST)
    clock.advance(SECOND)
    drive(revoked.end_subject(face, CORP, "eve", clock.wall(), os.urandom))
    refused = []
    for _ in range(3):
        clock.advance(DAY - SECOND)
        drive(revoked.end_subject(face, CORP, "mallory", clock.wall(), os.urandom))
        refused.append(revoked.refuses(old, CORP))

    assert refused == [True] * 3
    runtime.close()


def test_a_foreign_token_counts_no_longer_than_the_policy_says() -> None:
    """From both sides."""
    clock = ManualClock()
    runtime = compose(load(FOREIGN, "development"), clock=clock)
    key = read_jwk(new_jwk("ES256", os.urandom))
    verifier = runtime.driven_side.trust.checker._by_issuer[CORP].verifier
    assert isinstance(verifier, CachedVerifier)
    verifier.verifier.keys.replace([key])
    token = Issuer(KeySet([key]), CORP, "tasks", lifetime=30 * DAY).issue("bob", clock.wall(), os.urandom).token

    assert verifier.verify(token, clock.wall() + 3 * DAY - 1).sub == "bob"
    with pytest.raises(TokenError) as refused:
        verifier.verify(token, clock.wall() + 3 * DAY)
    assert refused.value.reason == "too_old"
    runtime.close()
