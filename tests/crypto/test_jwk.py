"""JSON Web Keys: everything a key says about itself is held to."""

from __future__ import annotations

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as joserfc_jwk

from garrison.crypto import base64
from garrison.crypto.jwk import PRIVATE_MEMBERS, new_jwk, public_jwk, read_jwk, thumbprint
from garrison.crypto.key import SigningKey, secret_key
from garrison.errors import SecretError, UsageError

ALGS = ["RS256", "PS384", "ES256", "ES384", "ES512", "Ed25519"]
NEW = {alg: new_jwk(alg, os.urandom) for alg in ALGS}
RSA, EC, OKP = NEW["RS256"], NEW["ES256"], NEW["Ed25519"]
OCT = {"kty": "oct", "k": base64.encode(bytes(range(32))), "alg": "HS256", "kid": "s"}


def without(jwk: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in jwk.items() if name not in names}


def public(jwk: dict[str, str]) -> dict[str, Any]:
    return without(jwk, *PRIVATE_MEMBERS)


@pytest.mark.parametrize("alg", ALGS)
def test_a_new_key_signs_and_its_public_half_checks(alg: str) -> None:
    """Read back from JSON, whole and half."""
    whole = read_jwk(NEW[alg])
    half = read_jwk(public_jwk(whole))

    assert isinstance(whole, SigningKey)
    assert not isinstance(half, SigningKey)
    assert half.check(b"m", whole.sign(b"m"))
    assert public_jwk(half) == public_jwk(whole) == public(NEW[alg])


@pytest.mark.parametrize("alg", ALGS)
def test_a_key_is_named_by_what_it_is(alg: str) -> None:
    """RFC 7638, and another implementation gives it the same name."""
    assert NEW[alg]["kid"] == thumbprint(public(NEW[alg])) == joserfc_jwk.import_key(public(NEW[alg])).thumbprint()
    assert read_jwk(without(NEW[alg], "kid")).kid == NEW[alg]["kid"]


def test_keys_are_made_from_the_randomness_given() -> None:
    """The same bytes, the same key; but not for RSA, whose primes are drawn inside OpenSSL."""
    seed = bytes(range(200, 250)) * 9
    for alg in ("ES256", "ES384", "ES512", "Ed25519"):
        assert new_jwk(alg, lambda count: seed[:count]) == new_jwk(alg, lambda count: seed[:count]) != NEW[alg]


@pytest.mark.parametrize("alg", ["HS256", "EdDSA", "none", "", "ES256K"])
def test_no_key_is_made_for_anything_else(alg: str) -> None:
    """Secrets come from the key ring, and the old name is only ever accepted."""
    with pytest.raises(UsageError):
        new_jwk(alg, os.urandom)


def test_a_key_without_alg_is_for_what_its_curve_leaves() -> None:
    """An RSA key or a secret could be for three or six; so the caller must say."""
    assert read_jwk(without(EC, "alg")).alg == "ES256"
    assert read_jwk(without(OKP, "alg")).alg == "Ed25519"
    assert read_jwk(without(OKP, "alg"), "EdDSA").alg == "EdDSA"
    assert read_jwk(without(RSA, "alg"), "PS256").alg == "PS256"
    assert read_jwk(without(OCT, "alg"), "HS256").alg == "HS256"
    for jwk in (RSA, OCT):
        with pytest.raises(SecretError):
            read_jwk(without(jwk, "alg"))


@pytest.mark.parametrize(
    ("jwk", "alg"), [(RSA, "RS512"), (RSA, "HS256"), (OCT, "HS512"), (EC, "ES384"), (OKP, "EdDSA")]
)
def test_a_key_is_used_for_the_algorithm_it_names(jwk: dict[str, str], alg: str) -> None:
    """Whoever asks for another is refused (RFC 8725 section 3.1)."""
    with pytest.raises(SecretError):
        read_jwk(jwk, alg)


@pytest.mark.parametrize(
    "member",
    [
        {"use": "enc"},
        {"use": ""},
        {"use": None},
        {"use": ["sig"]},
        {"key_ops": []},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify sign"},
        {"key_ops": ["verify", "sign", "verify"]},
        {"key_ops": [["verify"], ["sign"]]},
        {"key_ops": None},
    ],
)
def test_a_key_for_another_use_is_refused(member: dict[str, Any]) -> None:
    """`use` and `key_ops` (RFC 7517 sections 4.2 and 4.3)."""
    for jwk in (RSA, EC, OKP, OCT, public(EC)):
        with pytest.raises(SecretError):
            read_jwk({**jwk, **member})


def test_a_private_key_must_be_for_signing_and_a_public_one_for_checking() -> None:
    """Each half does one thing."""
    assert read_jwk({**EC, "key_ops": ["sign"]})
    assert read_jwk({**public(EC), "key_ops": ["verify"], "use": "sig"})
    assert read_jwk({**OCT, "key_ops": ["verify", "sign"]})
    for jwk in ({**EC, "key_ops": ["verify"]}, {**public(EC), "key_ops": ["sign"]}):
        with pytest.raises(SecretError):
            read_jwk(jwk)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kty": "oct"},
        {**EC, "kty": "OKP"},
        {**EC, "kty": "RSA"},
        {**OKP, "kty": "EC"},
        {**EC, "kty": 1},
        {**EC, "alg": "none"},
        {**EC, "alg": ["ES256"]},
        {**EC, "kid": ["a"]},
        {**EC, "kid": "a" * 257},
        {**EC, "crv": "P-999"},
        {**EC, "crv": "P-384"},
        {**EC, "crv": "secp256k1"},
        without(EC, "crv"),
        without(EC, "y"),
        without(EC, "x"),
        {**EC, "x": EC["y"]},
        {**EC, "x": EC["x"] + "="},
        {**EC, "x": base64.encode(b"\0" + (base64.decode(EC["x"]) or b""))},
        {**public(EC), "x": "AA", "y": "AA"},
        {**EC, "d": base64.encode(bytes(32))},
        {**EC, "d": base64.encode(b"\xff" * 32)},
        {**EC, "d": base64.encode(bytes(31) + b"\1")},
        {**EC, "d": ""},
        {**OKP, "crv": "Ed448"},
        {**OKP, "crv": "X25519"},
        {**OKP, "x": base64.encode(bytes(31))},
        {**OKP, "d": base64.encode(bytes(31))},
        {**OKP, "d": base64.encode(bytes(32))},
        {**public(OKP), "x": base64.encode(bytes(33))},
        without(RSA, "n"),
        without(RSA, "e"),
        without(RSA, "p"),
        {**RSA, "oth": "x"},
        {**RSA, "d": RSA["dp"]},
        {**RSA, "p": RSA["q"]},
        {**public(RSA), "n": base64.encode(b"\0" + (base64.decode(RSA["n"]) or b""))},
        {**public(RSA), "n": base64.encode(b"\xff" * 2000)},
        {**public(RSA), "n": RSA["n"][:100]},
        {**public(RSA), "e": "Aw"},
        {**public(RSA), "e": "AQAA"},
        {**OCT, "k": ""},
        {**OCT, "k": base64.encode(bytes(range(31)))},
        {**OCT, "k": 7},
        without(OCT, "k"),
    ],
)
def test_a_key_that_does_not_fit_together_is_refused(broken: dict[str, Any]) -> None:
    """Missing, malformed, off the curve, of two keys, with leading zeros, of unknown kinds."""
    with pytest.raises(SecretError):
        read_jwk(broken)


@given(
    st.dictionaries(
        st.sampled_from([*EC, *RSA, "k", "oth", "key_ops"]), st.none() | st.text() | st.integers() | st.just("P-256")
    )
)
def test_no_members_raise_anything_else(members: dict[str, Any]) -> None:
    """A key, or the one error; also when they replace parts of a good key."""
    for jwk in (members, {**EC, **members}, {**RSA, **members}, {**OKP, **members}, {**OCT, **members}):
        try:
            assert read_jwk(jwk).alg
        except SecretError:
            continue


def test_a_thumbprint_needs_every_member() -> None:
    """Half a key has no name."""
    for jwk in ({}, {"kty": "XYZ"}, without(EC, "x"), {"kty": 5}):
        with pytest.raises(SecretError):
            thumbprint(jwk)


def test_a_secret_is_never_published() -> None:
    """It has no public half."""
    with pytest.raises(UsageError):
        public_jwk(secret_key(os.urandom(32)))


def test_an_rsa_key_of_4096_bits_is_read() -> None:
    """The bound on numbers is above what is used."""
    numbers = rsa.generate_private_key(65537, 4096).public_key().public_numbers()
    jwk = {"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": base64.encode(numbers.n.to_bytes(512, "big"))}

    assert read_jwk(jwk).alg == "RS256"
