"""Issue access tokens."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from garrison.errors import UsageError
from garrison.tokens import Issuer, KeySet, new_jwk, read_jwk, secret_key
from tests.tokens.making import AUDIENCE, ISSUER, NOW, SECRET, verifier

KEYS = KeySet([secret_key(SECRET, kid="k1")])
issuer = Issuer(KEYS, ISSUER, AUDIENCE)
SECOND = 1_000_000


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = (urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(payload)


def test_a_token_has_what_rfc_9068_demands() -> None:
    """Header and claims, nothing empty."""
    issued = issuer.issue("ada", NOW, os.urandom, scopes={"b:x", "a:x"})
    header, claims = parts(issued.token)

    assert header == {"alg": "HS256", "kid": "k1", "typ": "at+jwt"}
    assert claims == {
        "iss": ISSUER,
        "sub": "ada",
        "aud": AUDIENCE,
        "iat": NOW // SECOND,
        "exp": NOW // SECOND + 900,
        "jti": issued.jti,
        "client_id": ISSUER,
        "epoch": 0,
        "scope": "a:x b:x",
    }
    assert issued.expires == claims["exp"] * SECOND


def test_everything_that_is_known_of_the_login_goes_in() -> None:
    """And comes out of the verifier again."""
    token = issuer.issue(
        "ada",
        NOW,
        os.urandom,
        client="web",
        session="s1",
        tenant="acme",
        epoch=4,
        authenticated_at=NOW - SECOND,
        methods=("pwd", "otp"),
        lifetime=60 * SECOND,
        extra={"shelf": 3},
    ).token
    claims = verifier(own=True).verify(token, NOW)

    assert (claims.client_id, claims.sid, claims.tenant, claims.epoch) == ("web", "s1", "acme", 4)
    assert (claims.auth_time, claims.amr) == (NOW // SECOND - 1, ("pwd", "otp"))
    assert claims.expires == (NOW // SECOND + 60) * SECOND
    assert parts(token)[1]["shelf"] == 3


def test_every_token_has_a_name_of_its_own() -> None:
    """128 random bits, which the caller draws."""
    assert len({issuer.issue("ada", NOW, os.urandom).jti for _ in range(100)}) == 100
    assert issuer.issue("ada", NOW, bytes).jti == "A" * 22


def test_several_audiences_are_a_list() -> None:
    """RFC 7519 section 4.1.3."""
    token = Issuer(KEYS, ISSUER, ["a", AUDIENCE]).issue("ada", NOW, os.urandom).token

    assert parts(token)[1]["aud"] == ["a", AUDIENCE]


def test_after_a_rotation_the_next_token_has_the_new_key() -> None:
    """The header is written anew."""
    keys = KeySet([read_jwk(new_jwk("ES256", os.urandom))])
    one = Issuer(keys, ISSUER, AUDIENCE)
    first = parts(one.issue("ada", NOW, os.urandom).token)[0]
    keys.replace([read_jwk(new_jwk("Ed25519", os.urandom))])

    second = parts(one.issue("ada", NOW, os.urandom).token)[0]

    assert first["alg"] == "ES256"
    assert second == {"alg": "Ed25519", "kid": keys.signer().kid, "typ": "at+jwt"}


@pytest.mark.parametrize(
    "call",
    [
        {"subject": ""},
        {"scopes": ["a b"]},
        {"scopes": [""]},
        {"lifetime": 1},
        {"lifetime": -SECOND},
        {"extra": {"sub": "admin"}},
        {"extra": {"exp": 9}},
        {"extra": {"scope": "admin"}},
        {"extra": {"big": "a" * 9000}},
        {"subject": "a" * 1025},
        {"lifetime": 10**12 * SECOND},
    ],
)
def test_what_no_verifier_would_take_is_not_issued(call: dict[str, Any]) -> None:
    """Nor what would overwrite a claim that has a meaning."""
    with pytest.raises(UsageError):
        issuer.issue(**{"subject": "ada", "now": NOW, "randomness": os.urandom, **call})


@pytest.mark.parametrize(
    "parts",
    [{"issuer": ""}, {"audience": ""}, {"audience": []}, {"typ": ""}, {"lifetime": 0}, {"lifetime": 1_500_000}],
)
def test_an_issuer_needs_its_parts(parts: dict[str, Any]) -> None:
    """At start."""
    with pytest.raises(UsageError):
        Issuer(KEYS, **{"issuer": ISSUER, "audience": AUDIENCE, **parts})


def test_the_longest_subject_and_the_latest_end_are_taken() -> None:
    """The bound from the other side."""
    last = 253_402_300_799 * SECOND
    token = issuer.issue("a" * 1024, NOW, os.urandom, lifetime=last - NOW // SECOND * SECOND).token

    assert verifier().verify(token, NOW).exp == last // SECOND
