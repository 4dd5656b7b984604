"""Keys that sign and check tokens, each made for one algorithm and refused when it is weak.

Sources: RFC 7518 sections 3.2, 3.3 and 3.5 (least sizes); RFC 8725 sections 3.1 and 3.5; NIST SP 800-57
part 1 table 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from garrison.crypto.algorithms import ALGORITHMS, after, checker, hmac_sides, signer
from garrison.crypto.roca import is_roca
from garrison.errors import SecretError
from garrison.model.secret import Secret

if TYPE_CHECKING:
    from garrison.crypto.algorithms import After, Algorithm, Check, PrivateKey, PublicKey, Sign

__all__ = ["RSA_BITS", "Key", "SigningKey", "private_key", "public_key", "read_pem", "secret_key"]

RSA_BITS = range(2048, 8192 + 1)
"""Sizes of RSA keys: below, they are too weak; above, checking one signature takes too long."""

_EXPONENTS = range(65537, 1 << 32)
"""Public exponents: small ones have broken padding checks before, vast ones make checking slow."""

_DISTINCT = 8
"""An HMAC secret with fewer different bytes is a typed word or a placeholder."""

_SHORTEST_DER = 44

_PRIME = 2**255 - 19
_ORDINATE = (1 << 255) - 1
_EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL = frozenset((0, 1, _PRIME - 1, _EIGHTH, _PRIME - _EIGHTH))
"""Ordinates of the eight points of edwards25519 whose order divides its cofactor (RFC 8032 section 5.1)."""

_CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}


class Key:
    """Checks signatures of one algorithm."""

    __slots__ = ("after", "alg", "check", "kid", "public")

    def __init__(
        self, kid: str, algorithm: Algorithm, check: Check, public: PublicKey | None, begun: After | None = None
    ) -> None:
        """Keep the parts; use `public_key`, `private_key`, `secret_key` or `jwk.read_jwk` to make one."""
        self.kid = kid
        self.alg = algorithm.name
        self.check = check
        self.public = public
        self.after = begun or after(check)

    def __repr__(self) -> str:
        """Show the public name and the algorithm."""
        return f"{type(self).__name__}({self.kid!r}, {self.alg})"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a pickle is a copy that nobody guards.

        Raises:
            TypeError: Always.
        """
        msg = "a key cannot be pickled"
        raise TypeError(msg)


class SigningKey(Key):
    """Makes the signatures that it checks."""

    __slots__ = ("sign",)

    def __init__(
        self,
        kid: str,
        algorithm: Algorithm,
        check: Check,
        public: PublicKey | None,
        sign: Sign,
        begun: After | None = None,
    ) -> None:
        """Keep the parts, as `Key` does."""
        super().__init__(kid, algorithm, check, public, begun)
        self.sign = sign


def secret_key(secret: Secret | bytes, alg: str = "HS256", kid: str = "") -> SigningKey:
    """Make an HMAC key.

    Args:
        secret: At least as many unpredictable bytes as the hash gives: 32 for HS256.
        alg: `HS256`, `HS384` or `HS512`.
        kid: Its public name; empty: tokens name no key.

    Raises:
        SecretError: It is short, plainly not random, or somebody's public key: everybody knows that one, and
            whoever mixes the two up lets everybody sign (CVE-2022-29217 and its many relatives).
    """
    algorithm = _algorithm(alg, "oct")
    raw = secret.reveal() if isinstance(secret, Secret) else secret
    if len(raw) < algorithm.width or len(set(raw)) < _DISTINCT:
        msg = f"{alg} needs {algorithm.width} unpredictable bytes; make them with: openssl rand -hex {algorithm.width}"
        raise SecretError(msg)
    if _is_public(raw):
        msg = "this is a key or certificate, not a secret: everybody may know it"
        raise SecretError(msg)
    check, sign, begun = hmac_sides(algorithm, raw)
    return SigningKey(kid, algorithm, check, None, sign, begun)


def public_key(key: PublicKey, alg: str, kid: str) -> Key:
    """Make a key that only checks.

    Raises:
        SecretError: The key is weak or does not belong to the algorithm.
    """
    algorithm = _fitting(key, alg)
    return Key(kid, algorithm, checker(algorithm, key), key)


def private_key(key: PrivateKey, alg: str, kid: str) -> SigningKey:
    """Make a key that signs and checks.

    Raises:
        SecretError: The key is weak or does not belong to the algorithm.
    """
    public = key.public_key()
    algorithm = _fitting(public, alg)
    return SigningKey(kid, algorithm, checker(algorithm, public), public, signer(algorithm, key))


def read_pem(pem: bytes, alg: str, kid: str) -> Key:
    """Make a key from PEM: `PUBLIC KEY` gives one that checks, an unencrypted `PRIVATE KEY` one that signs.

    Raises:
        SecretError: It is neither, is weak or does not belong to the algorithm.
    """
    try:
        if b"PRIVATE KEY-----" in pem:
            return private_key(cast("Any", serialization.load_pem_private_key(pem, None)), alg, kid)
        return public_key(cast("Any", serialization.load_pem_public_key(pem)), alg, kid)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        msg = "not a PEM key that can be read here"
        raise SecretError(msg) from error


def _algorithm(alg: str, family: str) -> Algorithm:
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None or algorithm.family != family:
        msg = f"{alg[:16]!r} is no algorithm for a key of the kind {family}"
        raise SecretError(msg)
    return algorithm


def _fitting(key: PublicKey, alg: str) -> Algorithm:
    if isinstance(key, rsa.RSAPublicKey):
        _strong_rsa(key)
        return _algorithm(alg, "RSA")
    if isinstance(key, ed25519.Ed25519PublicKey):
        _strong_ed25519(key)
        return _algorithm(alg, "OKP")
    algorithm = _algorithm(alg, "EC")
    # PEM also brings DSA, X25519 and other keys, whatever the annotation says.
    if not isinstance(getattr(key, "curve", None), _CURVES[algorithm.curve]):
        msg = f"{alg} takes keys of the curve {algorithm.curve}"
        raise SecretError(msg)
    return algorithm


def _strong_rsa(key: rsa.RSAPublicKey) -> None:
    numbers = key.public_numbers()
    if key.key_size not in RSA_BITS or numbers.e not in _EXPONENTS or not numbers.e & 1:
        msg = f"an RSA key has {RSA_BITS.start} to {RSA_BITS.stop - 1} bits and an odd exponent from 65537"
        raise SecretError(msg)
    if is_roca(numbers.n):
        msg = "this RSA key was made by a broken generator, its private half can be computed (CVE-2017-15361)"
        raise SecretError(msg)


def _strong_ed25519(key: ed25519.Ed25519PublicKey) -> None:
    # An ordinate can also be written with the prime added, and the sign of the other coordinate makes no difference.
    y = int.from_bytes(key.public_bytes_raw(), "little") & _ORDINATE
    if y % _PRIME in _SMALL:
        msg = "this Ed25519 key is one of eight points for which anybody can sign"
        raise SecretError(msg)


def _is_public(raw: bytes) -> bool:
    """Tell whether the bytes are a key, a certificate or a key document in any common dress."""
    # Without NUL bytes, UTF-16 reads like ASCII; blanks and byte order marks before it hide nothing (CVE-2026-34950).
    bare = raw.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if b"-----BEGIN" in bare or bare.startswith((b"ssh-", b"ecdsa-sha2-", b"---- BEGIN")):
        return True
    return b'"kty"' in bare or b'"keys"' in bare or _is_der(raw)


def _is_der(raw: bytes) -> bool:
    """Tell whether the bytes are a DER key or certificate.

    A SEQUENCE whose length is exactly what follows (X.690 section 8.1.3), which begins with a SEQUENCE or an
    INTEGER. The shortest public key has 44 bytes; of random secrets that long, one in 2**23 looks like this.
    """
    if len(raw) < _SHORTEST_DER or raw[0] != 0x30:
        return False
    long_form = max(raw[1] - 0x80, 0)
    length = int.from_bytes(raw[2 : 2 + long_form], "big") if long_form else raw[1]
    return length == len(raw) - 2 - long_form and raw[2 + long_form] in {0x30, 0x02}
