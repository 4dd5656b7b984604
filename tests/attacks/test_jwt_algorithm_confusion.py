"""The token chooses how it is checked: a public key taken for a secret, another algorithm, or none.

CVE-2015-9235, CVE-2016-10555, CVE-2017-11424, CVE-2022-29217, CVE-2024-33663, CVE-2026-34950 and their like.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from garrison.crypto.key import Key
from garrison.errors import SecretError
from garrison.tokens import Claims, Issuer, KeySet, Verifier, new_jwk, public_jwk, read_jwk, secret_key
from tests.tokens.making import AUDIENCE, CLAIMS, ISSUER, NOW, b64, sealed
from tests.tokens.world import reason

KEYS: dict[str, Any] = {
    alg: read_jwk(new_jwk(alg, os.urandom)) for alg in ("RS256", "PS256", "ES256", "ES384", "Ed25519")
}


def verifier(*keys: Key) -> Verifier[Claims]:
    return Verifier(KeySet(keys), ISSUER, AUDIENCE)


def answer(key: Key, token: str | bytes) -> str:
    return reason(lambda: verifier(key).verify(token, NOW).sub)


def dresses(key: Key) -> list[bytes]:
    """A public key in every form somebody might hand to an HMAC."""
    public: Any = key.public
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = public_jwk(key)
    return [
        *(pem, pem.strip(), pem.replace(b"\n", b"\r\n"), b" " + pem, der, b""),
        *(json.dumps(jwk).encode(), json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()),
        *(jwk.get("n", "").encode(), jwk.get("x", "").encode(), key.kid.encode()),
    ]


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("claimed", ["HS256", "HS384", "HS512", "none", "nOnE"])
def test_a_public_key_is_never_a_secret(alg: str, claimed: str) -> None:
    """The attacker knows it, signs with HMAC, and says so in the header; or signs not at all."""
    key = KEYS[alg]
    header = b64({"alg": claimed, "kid": key.kid, "typ": "at+jwt"})
    algorithm = {"HS384": "sha384", "HS512": "sha512"}.get(claimed, "sha256")
    forged = [sealed(header, b64(CLAIMS), secret, algorithm) for secret in dresses(key)]
    unsigned = [header + b"." + b64(CLAIMS) + tail for tail in (b".", b".AA", b"")]

    answers = {answer(key, token) for token in forged + unsigned}

    assert answers <= {"key_unknown", "algorithm", "form"}


@pytest.mark.parametrize("alg", KEYS)
def test_a_key_of_one_algorithm_checks_no_other_of_its_kind(alg: str) -> None:
    """RS256 and PS256 share their keys' form; so a key says which it is for, and the header cannot."""
    others = [row for row in ("RS256", "RS384", "PS256", "PS512", "ES256", "ES512", "Ed25519", "EdDSA") if row != alg]
    key = KEYS[alg]
    payload = b64(CLAIMS)

    for other in others:
        message = b64({"alg": other, "kid": key.kid, "typ": "at+jwt"}) + b"." + payload
        token = message + b"." + key.sign(message)
        assert answer(key, token) == "key_unknown"


def test_the_old_name_counts_only_for_a_key_that_is_pinned_to_it() -> None:
    """`EdDSA` means whatever its key means (RFC 9864 section 1.2)."""
    jwk = {name: value for name, value in new_jwk("Ed25519", os.urandom).items() if name != "alg"}
    pinned, exact = read_jwk(jwk, "EdDSA"), read_jwk(jwk, "Ed25519")
    issuers = {one.alg: Issuer(KeySet([one]), ISSUER, AUDIENCE) for one in (pinned, exact)}
    tokens = {alg: issuer.issue("ada", NOW, os.urandom).token for alg, issuer in issuers.items()}

    for one in (pinned, exact):
        answers = {alg: answer(one, token) for alg, token in tokens.items()}
        assert answers == {alg: "ada" if alg == one.alg else "key_unknown" for alg in tokens}


def test_a_set_never_holds_both_secrets_and_public_keys() -> None:
    """Then the name in a header would choose between them."""
    with pytest.raises(SecretError):
        verifier(KEYS["RS256"], secret_key(os.urandom(32), kid="s"))


@pytest.mark.parametrize("alg", KEYS)
def test_no_dress_of_a_public_key_can_be_made_a_secret_by_mistake(alg: str) -> None:
    """The other way into the same hole: the deployment configures it."""
    for dress in dresses(KEYS[alg])[:8]:
        with pytest.raises(SecretError):
            secret_key(dress)
