"""Sets of keys: which one is meant, and which sets nobody should trust."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto import base64
from garrison.crypto.jwk import new_jwk, public_jwk, read_jwk
from garrison.crypto.key import secret_key
from garrison.crypto.key_set import KEYS, KeySet, read_set
from garrison.errors import SecretError, UsageError

EC, OTHER, OKP, RSA = (read_jwk(new_jwk(alg, os.urandom)) for alg in ("ES256", "ES256", "Ed25519", "RS256"))
SECRET = secret_key(os.urandom(32), kid="s")
OCT = {"kty": "oct", "k": base64.encode(bytes(range(32))), "alg": "HS256", "kid": "s"}


def document(*jwks: Any) -> bytes:
    return json.dumps({"keys": jwks}).encode()


def test_a_key_is_found_by_name_and_algorithm_together() -> None:
    """The algorithm of a header never selects how to check; it only has to be the key's own."""
    keys = KeySet([EC, OKP])

    assert keys.find(EC.kid, "ES256") is EC
    assert keys.find(EC.kid, "HS256") is None
    assert keys.find(EC.kid, "Ed25519") is None
    assert keys.find("other", "ES256") is None
    assert len(keys) == 2
    assert EC.kid in keys
    assert list(keys) == [EC, OKP]


def test_a_header_without_a_name_means_the_only_key_of_its_algorithm() -> None:
    """Of two, nobody knows which is meant."""
    assert KeySet([EC, OKP]).find(None, "ES256") is EC
    assert KeySet([EC, OTHER]).find(None, "ES256") is None
    assert KeySet([EC]).find(None, "RS256") is None


@pytest.mark.parametrize(
    "keys",
    [[EC, EC], [SECRET, EC], [SECRET, SECRET], [secret_key(os.urandom(32), kid=str(n)) for n in range(KEYS + 1)]],
)
def test_a_doubtful_set_is_refused_and_the_old_one_stays(keys: list[Any]) -> None:
    """One name twice, secrets beside public keys, too many."""
    trusted = KeySet([OKP])
    generation = trusted.generation

    with pytest.raises(SecretError):
        trusted.replace(keys)

    assert trusted.find(OKP.kid, "Ed25519") is OKP
    assert trusted.generation == generation


def test_every_change_is_another_generation() -> None:
    """Whoever remembers an answer compares it."""
    keys = KeySet([EC])
    seen = [keys.generation]

    keys.replace([EC, OKP])
    seen.append(keys.generation)
    keys.drop(EC.kid)
    seen.append(keys.generation)

    assert len(set(seen)) == 3
    assert keys.find(EC.kid, "ES256") is None


def test_the_first_private_key_signs() -> None:
    """And a set of public keys cannot."""
    half = read_jwk(public_jwk(EC))

    assert KeySet([half, OKP, OTHER]).signer() is OKP
    with pytest.raises(UsageError):
        KeySet([half]).signer()


def test_a_published_set_is_read_without_what_is_not_for_us() -> None:
    """Other uses, unknown kinds and algorithms are left out (RFC 7517 section 5)."""
    ours, theirs = public_jwk(EC), public_jwk(OTHER)
    others = [
        {**theirs, "use": "enc"},
        {**public_jwk(OKP)},
        {**theirs, "alg": "ES256K"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq"},
        "nonsense",
        {},
    ]

    assert [key.kid for key in read_set(document(*others, ours), ["RS256", "ES256"])] == [EC.kid]


@pytest.mark.parametrize(("depth", "kept"), [(3, True), (4, False)])
def test_a_key_may_hold_lists_and_no_labyrinth(depth: int, kept: bool) -> None:
    """Certificates are a list (`x5c`); what is nested deeper than six levels is read by nobody."""
    raw = document({**public_jwk(EC), "more": json.loads("[" * depth + "]" * depth)})

    if kept:
        assert [key.kid for key in read_set(raw, ["ES256"])] == [EC.kid]
    else:
        with pytest.raises(SecretError):
            read_set(raw, ["ES256"])


def test_an_rsa_key_that_names_no_algorithm_is_read_for_the_first_that_is_wanted() -> None:
    """Many issuers leave it out; it is still for one algorithm only."""
    jwk = {name: value for name, value in public_jwk(RSA).items() if name != "alg"}

    assert read_set(document(jwk), ["ES256", "PS256", "RS256"])[0].alg == "PS256"
    with pytest.raises(SecretError):
        read_set(document(jwk), ["ES256"])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[],"keys":[1]}',
        document({}),
        document(public_jwk(EC), {**public_jwk(OTHER), "kid": EC.kid}),
        document(public_jwk(EC), {**public_jwk(EC), "kid": "again"}),
        document(public_jwk(RSA), {**public_jwk(RSA), "kid": "again", "alg": "PS256"}),
        document(public_jwk(EC), OCT),
        document(public_jwk(EC), new_jwk("ES256", os.urandom)),
        document(public_jwk(EC), {"kty": "RSA", "d": "AQAB"}),
        document(*[{"kty": "none"}] * (KEYS + 1)),
        document(public_jwk(EC)).decode().encode("utf-16"),
        b"\xef\xbb\xbf" + document(public_jwk(EC)),
        b'{"keys":' + b"[" * 1000,
    ],
)
def test_a_doubtful_document_is_refused_whole(raw: bytes) -> None:
    """No key, one name or one key twice, secrets and private keys, encodings, depth."""
    with pytest.raises(SecretError):
        read_set(raw, ["RS256", "PS256", "ES256"])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_document_raises_anything_else(raw: bytes) -> None:
    """Whatever an issuer sends."""
    for text in (raw, b'{"keys":[' + raw + b"]}"):
        with pytest.raises(SecretError):
            read_set(text, ["RS256"])
