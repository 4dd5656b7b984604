"""Keys: one algorithm each, and none that is weak."""

from __future__ import annotations

import hmac
import os
import pickle
from base64 import urlsafe_b64encode
from math import prod
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto import base64
from garrison.crypto.algorithms import ALGORITHMS
from garrison.crypto.key import SigningKey, private_key, public_key, read_pem, secret_key
from garrison.crypto.roca import _PRIMES
from garrison.errors import SecretError
from garrison.model.secret import Secret

SECRET = bytes(range(64))
RSA = rsa.generate_private_key(65537, 2048)
MADE: dict[str, Any] = {
    "RSA": RSA,
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PKCS8 = serialization.PrivateFormat.PKCS8
CLEAR = serialization.NoEncryption()


def made(alg: str) -> SigningKey:
    """A signing key of every algorithm."""
    row = ALGORITHMS[alg]
    return secret_key(SECRET, alg) if row.family == "oct" else private_key(MADE[row.curve or "RSA"], alg, "k")


def pem(key: Any) -> bytes:
    """A key as PEM, whichever half."""
    if hasattr(key, "private_bytes"):
        return bytes(key.private_bytes(serialization.Encoding.PEM, PKCS8, CLEAR))
    return bytes(key.public_bytes(serialization.Encoding.PEM, SPKI))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_knows_its_own_signature_and_no_other(alg: str) -> None:
    """Nor one with another message, cut, or longer."""
    key = made(alg)
    text = key.sign(b"message")

    assert key.check(b"message", text)
    assert not key.check(b"massage", text)
    for wrong in (b"", text[:-1], text + b"A", text + b"=", text.swapcase(), text[:-2] + b"!!", b"A" * len(text)):
        assert not key.check(b"message", wrong)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519"])
def test_unused_bits_of_a_signature_are_zero(alg: str) -> None:
    """Else one signature has many texts, and whoever remembers texts is deceived."""
    key = made(alg)
    text = key.sign(b"message").decode()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [text[:-1] + letter for letter in letters if letter != text[-1]]

    assert [other for other in others if key.check(b"message", other.encode())] == []


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@given(message=st.binary(max_size=300), secret=st.binary(min_size=64, max_size=300))
def test_an_hmac_is_the_one_of_the_standard_library(alg: str, message: bytes, secret: bytes) -> None:
    """Also with secrets longer than a block, which are hashed first."""
    secret += bytes(range(8))
    expected = urlsafe_b64encode(hmac.digest(secret, message, "sha" + alg[2:])).rstrip(b"=")

    assert secret_key(secret, alg).sign(message) == expected


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_an_ecdsa_signature_has_no_zero_in_it(alg: str) -> None:
    """r = s = 0 was right for every message in Java once (CVE-2022-21449); so is nothing out of range."""
    key, width = made(alg), ALGORITHMS[alg].width
    order = MADE[ALGORITHMS[alg].curve].curve.group_order
    ends = [0, 1, order, order - 1, 2 ** (8 * width) - 1]
    texts = [base64.encode(r.to_bytes(width, "big") + s.to_bytes(width, "big")) for r in ends for s in ends]

    assert [text for text in texts if key.check(b"message", text.encode())] == []


def test_der_is_no_signature() -> None:
    """What other formats call an ECDSA signature (RFC 7518 section 3.4 wants r and s side by side)."""
    der = MADE["P-256"].sign(b"message", ec.ECDSA(hashes.SHA256()))

    assert not made("ES256").check(b"message", base64.encode(der).encode())


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_an_hmac_secret_is_as_long_as_its_hash(alg: str) -> None:
    """RFC 7518 section 3.2; one byte less is refused, and so is a placeholder of any length."""
    width = ALGORITHMS[alg].width

    assert secret_key(Secret(SECRET[:width]), alg).alg == alg
    for weak in (b"", SECRET[: width - 1], b"a" * 64, b"changeme" * 8, b"secret" * 20):
        with pytest.raises(SecretError):
            secret_key(weak, alg)


PUBLIC_DER = RSA.public_key().public_bytes(serialization.Encoding.DER, SPKI)


@pytest.mark.parametrize(
    "public",
    [
        pem(RSA.public_key()),
        b" \n\t" + pem(RSA.public_key()),
        b"\xef\xbb\xbf" + pem(RSA.public_key()),
        pem(RSA.public_key()).decode().encode("utf-16"),
        b"x" + pem(MADE["P-256"].public_key()),
        pem(RSA),
        PUBLIC_DER,
        MADE["Ed25519"].public_key().public_bytes(serialization.Encoding.DER, SPKI),
        RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
        RSA.private_bytes(serialization.Encoding.DER, PKCS8, CLEAR),
        RSA.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
        MADE["P-256"].public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
        b'{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nnd","e":"AQAB"}',
        b'\xef\xbb\xbf [{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQH"}]',
        b'{"keys":[], "and more to be long enough for every hash there is, 64": 0}',
        '{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nnd","e":"AQAB"}'.encode("utf-16"),
    ],
)
def test_what_everybody_knows_is_no_secret(public: bytes) -> None:
    """Public keys in every dress, as in CVE-2022-29217 and its ten relatives."""
    with pytest.raises(SecretError, match="everybody"):
        secret_key(public)


@given(st.binary(min_size=32, max_size=32).filter(lambda raw: len(set(raw)) > 7))
def test_random_bytes_are_a_secret(raw: bytes) -> None:
    """The check for public keys must not refuse what a good generator gives."""
    assert secret_key(raw).kid == ""


@pytest.mark.parametrize("head", [b"\x30\x81", b"\x30\x85", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"0" * 43])
def test_what_only_begins_like_der_is_a_secret(head: bytes) -> None:
    """Lengths that do not fit what follows."""
    assert secret_key(head + SECRET)


@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_short_rsa_key_is_refused(bits: int) -> None:
    """Below 2,048 bits."""
    with pytest.raises(SecretError, match="2048"):
        private_key(rsa.generate_private_key(65537, bits), "RS256", "k")


@pytest.mark.parametrize(
    ("n", "e"), [(2**8192 + 1, 65537), (2**2047 + 1, 3), (2**2047 + 1, 2**32 + 1), (2**2047 + 1, 65539 + 1)]
)
def test_an_rsa_key_with_odd_numbers_is_refused(n: int, e: int) -> None:
    """Vast ones take too long, small and even exponents are no RSA."""
    try:
        key = rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError:
        return  # the library below refused it first
    with pytest.raises(SecretError):
        public_key(key, "RS256", "k")


def test_an_rsa_key_of_the_broken_generator_is_refused() -> None:
    """ROCA, CVE-2017-15361."""
    product = 2 * prod(_PRIMES)
    n = pow(65537, 99, product) + product * (2**2047 // product + 1)

    with pytest.raises(SecretError, match="CVE-2017-15361"):
        public_key(rsa.RSAPublicNumbers(65537, n).public_key(), "RS256", "k")


@pytest.mark.parametrize(
    ("name", "alg"),
    [
        ("RSA", "ES256"),
        ("RSA", "HS256"),
        ("RSA", "none"),
        ("RSA", "RS1"),
        ("P-256", "ES384"),
        ("P-256", "RS256"),
        ("P-521", "ES256"),
        ("Ed25519", "ES256"),
        ("Ed25519", "HS256"),
        ("P-256", "Ed25519"),
    ],
)
def test_a_key_is_for_its_own_kind_of_algorithm(name: str, alg: str) -> None:
    """Nothing about a key changes what it is."""
    with pytest.raises(SecretError):
        private_key(MADE[name], alg, "k")


def test_a_secret_is_for_hmac_only() -> None:
    """And `none` is no algorithm in any spelling."""
    for alg in ("RS256", "none", "None", "NONE", "nOnE", "", "hs256"):
        with pytest.raises(SecretError):
            secret_key(SECRET, alg)


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256", "Ed25519", "EdDSA"])
def test_pem_gives_the_half_it_holds(alg: str) -> None:
    """The public half checks what the private half signed, and cannot sign."""
    whole = read_pem(pem(MADE[ALGORITHMS[alg].curve or "RSA"]), alg, "k")
    half = read_pem(pem(MADE[ALGORITHMS[alg].curve or "RSA"].public_key()), alg, "k")

    assert isinstance(whole, SigningKey)
    assert not isinstance(half, SigningKey)
    assert half.check(b"m", whole.sign(b"m"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        RSA.private_bytes(serialization.Encoding.PEM, PKCS8, serialization.BestAvailableEncryption(b"x")),
        pem(x25519.X25519PrivateKey.generate()),
        pem(x25519.X25519PrivateKey.generate().public_key()),
        pem(ed448.Ed448PrivateKey.generate().public_key()),
        pem(ec.generate_private_key(ec.SECP256K1())),
        pem(dsa.generate_private_key(2048).public_key()),
    ],
)
def test_other_pem_is_refused(text: bytes) -> None:
    """Empty, encrypted, for key agreement, of other curves and kinds."""
    for alg in ("ES256", "RS256", "Ed25519"):
        with pytest.raises(SecretError):
            read_pem(text, alg, "k")


def test_a_key_is_neither_shown_nor_copied() -> None:
    """Logs, crash reports and caches are full of keys that were."""
    key = secret_key(os.urandom(32), kid="k1")

    assert repr(key) == "SigningKey('k1', HS256)"
    assert repr(public_key(RSA.public_key(), "RS256", "k2")) == "Key('k2', RS256)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
