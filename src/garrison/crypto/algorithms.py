"""The signature algorithms, each as data, and the objects that check and make signatures with them.

A key is made for exactly one algorithm and cannot be asked for another, so no header of a sender ever
chooses how a signature is checked. No signature is computed here: `cryptography` and `hashlib` do that.

Sources: RFC 7518 section 3; RFC 8037 and RFC 9864 (Ed25519); RFC 8725 sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from garrison.crypto import base64

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = [
    "ALGORITHMS",
    "After",
    "Algorithm",
    "Check",
    "PrivateKey",
    "PublicKey",
    "Sign",
    "after",
    "checker",
    "hmac_sides",
    "signer",
]

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

Check: TypeAlias = Callable[[bytes, bytes], bool]
"""Tells whether the second argument is the base64url text of a signature over the first."""

Sign: TypeAlias = Callable[[bytes], bytes]
"""Gives the base64url text of a signature."""


class Algorithm(NamedTuple):
    """One row of RFC 7518 section 3.1."""

    name: str
    """The value of `alg`."""

    family: str
    """`oct`, `RSA`, `EC` or `OKP`: the `kty` of its keys."""

    hash: str = ""
    """`SHA256`, `SHA384` or `SHA512`; empty: part of the scheme."""

    curve: str = ""
    """`crv` of its keys."""

    width: int = 0
    """Bytes of the hash for HMAC, of one coordinate for ECDSA."""

    pss: bool = False
    """RSASSA-PSS instead of PKCS #1 v1.5."""


ALGORITHMS = {
    row.name: row
    for row in (
        Algorithm("HS256", "oct", "SHA256", width=32),
        Algorithm("HS384", "oct", "SHA384", width=48),
        Algorithm("HS512", "oct", "SHA512", width=64),
        Algorithm("RS256", "RSA", "SHA256"),
        Algorithm("RS384", "RSA", "SHA384"),
        Algorithm("RS512", "RSA", "SHA512"),
        Algorithm("PS256", "RSA", "SHA256", pss=True),
        Algorithm("PS384", "RSA", "SHA384", pss=True),
        Algorithm("PS512", "RSA", "SHA512", pss=True),
        Algorithm("ES256", "EC", "SHA256", "P-256", 32),
        Algorithm("ES384", "EC", "SHA384", "P-384", 48),
        Algorithm("ES512", "EC", "SHA512", "P-521", 66),
        Algorithm("Ed25519", "OKP", "", "Ed25519"),
        # The polymorphic old name: only a key that is pinned to it is ever checked under it.
        Algorithm("EdDSA", "OKP", "", "Ed25519"),
    )
}
"""Every algorithm there is here. `none` is not among them, in any spelling."""

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_HMAC_HASHES: dict[str, tuple[Callable[[bytes], _Hash], int]] = {
    "SHA256": (sha256, 64),
    "SHA384": (sha384, 128),
    "SHA512": (sha512, 128),
}
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


After: TypeAlias = Callable[[bytes], Check]
"""Gives, for the beginning that many messages share, a check of what comes after it."""


def after(check: Check) -> After:
    """Make the plain form of that: put both together and check."""
    return lambda beginning: lambda rest, signature: check(beginning + rest, signature)


def hmac_sides(algorithm: Algorithm, secret: bytes) -> tuple[Check, Sign, After]:
    """Make all sides of an HMAC key (RFC 2104).

    The two hash states that depend on the secret alone are computed once and copied for each message: half
    the time of `hmac.digest`. They are as secret as the key.
    """
    new, block = _HMAC_HASHES[algorithm.hash]
    padded = (new(secret).digest() if len(secret) > block else secret).ljust(block, b"\0")
    written, equal = base64.written, compare_digest
    inner, outer = new(padded.translate(_INNER)), new(padded.translate(_OUTER))

    def sign(message: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return written(second.digest())

    def begun(beginning: bytes) -> Check:
        start = inner.copy()
        start.update(beginning)

        def check(rest: bytes, signature: bytes) -> bool:
            first, second = start.copy(), outer.copy()
            first.update(rest)
            second.update(first.digest())
            # Texts are compared, not values: every other way of writing the right signature is wrong by itself.
            return equal(written(second.digest()), signature)

        return check

    return begun(b""), sign, begun


def checker(algorithm: Algorithm, key: PublicKey) -> Check:
    """Make the checking side of a public key; the signature must be exactly as long as the key makes them.

    Three closures alike but for one line: whatever stands between here and the arithmetic is paid at each token.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _ecdsa(algorithm, key)
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa(algorithm, key)
    verify, size, decode = key.verify, _text_size(64), base64.decode

    def check(message: bytes, signature: bytes) -> bool:
        raw = decode(signature) if len(signature) == size else None
        if raw is None:
            return False
        try:
            verify(raw, message)
        except InvalidSignature:
            return False
        return True

    return check


def signer(algorithm: Algorithm, key: PrivateKey) -> Sign:
    """Make the signing side of a private key; ECDSA and PSS draw their randomness inside OpenSSL."""
    sign = _signing(algorithm, key)
    return lambda message: base64.written(sign(message))


def _signing(algorithm: Algorithm, key: PrivateKey) -> Sign:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    digest = _HASHES[algorithm.hash]
    if isinstance(key, rsa.RSAPrivateKey):
        pad, sign_rsa = _padding(algorithm), key.sign
        return lambda message: sign_rsa(message, pad, digest)
    scheme, width, sign_ecdsa = ec.ECDSA(digest), algorithm.width, key.sign

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(sign_ecdsa(message, scheme))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    return sign


def _ecdsa(algorithm: Algorithm, key: ec.EllipticCurvePublicKey) -> Check:
    width, scheme, verify, decode = algorithm.width, ec.ECDSA(_HASHES[algorithm.hash]), key.verify, base64.decode
    size, number, der = _text_size(2 * width), int.from_bytes, encode_dss_signature

    def check(message: bytes, signature: bytes) -> bool:
        raw = decode(signature) if len(signature) == size else None
        if raw is None:
            return False
        try:
            verify(der(number(raw[:width], "big"), number(raw[width:], "big")), message, scheme)
        except InvalidSignature:
            return False
        return True

    return check


def _rsa(algorithm: Algorithm, key: rsa.RSAPublicKey) -> Check:
    pad, digest, verify, decode = _padding(algorithm), _HASHES[algorithm.hash], key.verify, base64.decode
    size = _text_size((key.key_size + 7) // 8)

    def check(message: bytes, signature: bytes) -> bool:
        raw = decode(signature) if len(signature) == size else None
        if raw is None:
            return False
        try:
            verify(raw, message, pad, digest)
        except InvalidSignature:
            return False
        return True

    return check


def _text_size(count: int) -> int:
    """Characters that so many bytes have in base64 without padding."""
    return -(-count * 4 // 3)


def _padding(algorithm: Algorithm) -> padding.PSS | padding.PKCS1v15:
    if not algorithm.pss:
        return padding.PKCS1v15()
    digest = _HASHES[algorithm.hash]
    # RFC 7518 section 3.5: MGF1 with the same hash, and a salt exactly as long as the hash.
    return padding.PSS(padding.MGF1(digest), digest.digest_size)
