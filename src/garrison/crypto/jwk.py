"""JSON Web Keys: read, write, name by thumbprint, make new ones.

Everything that a key says about itself is held to: its algorithm, its use, its operations.

Sources: RFC 7517 section 4; RFC 7518 section 6; RFC 7638; RFC 8037 section 2.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.json import encode

from garrison.crypto import base64
from garrison.crypto.algorithms import ALGORITHMS
from garrison.crypto.key import RSA_BITS, private_key, public_key, secret_key
from garrison.errors import SecretError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.crypto.algorithms import Algorithm, PrivateKey, PublicKey
    from garrison.crypto.key import Key
    from garrison.model.ids import Randomness

__all__ = ["PRIVATE_MEMBERS", "new_jwk", "public_jwk", "read_jwk", "thumbprint"]

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that nobody but the owner may see."""

_THUMBPRINT = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "oct": ("k", "kty"),
}
"""Members a thumbprint is made of, in order (RFC 7638 section 3.2, RFC 8037 section 2)."""

_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_DEFAULT = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "Ed25519"}
"""Algorithm of a key that names none, where its curve leaves but one."""

_NUMBER_BYTES = RSA_BITS.stop // 8 + 1
_KID = 256
"""Characters a `kid` may have."""


def read_jwk(jwk: Mapping[str, Any], alg: str = "") -> Key:
    """Make a key from a JWK; one with private members gives a `SigningKey`.

    Args:
        jwk: The members.
        alg: The algorithm to use it for. Needed for RSA keys and secrets that name none, since nothing else
            says which of several is meant; where the key names one, it must be the same.

    Raises:
        SecretError: A member is missing, malformed or contradicts another, the key is weak, for another use,
            or for another algorithm.
    """
    name = _text(jwk, "alg") or alg or _DEFAULT.get(_text(jwk, "crv"), "")
    algorithm = ALGORITHMS.get(name)
    if algorithm is None or (alg and alg != name) or _text(jwk, "kty") != algorithm.family:
        msg = "a key must be made for one known algorithm, and name no other"
        raise SecretError(msg)
    signs = not PRIVATE_MEMBERS.isdisjoint(jwk)
    _held_to_its_use(jwk, signs=signs)
    if algorithm.family == "oct":
        return secret_key(_bytes(jwk, "k", 1 << 16), name, _text(jwk, "kid"))
    kid = _text(jwk, "kid") or thumbprint(jwk)
    try:
        if signs:
            return private_key(_READ_PRIVATE[algorithm.family](jwk), name, kid)
        return public_key(_READ_PUBLIC[algorithm.family](jwk), name, kid)
    except (ValueError, KeyError) as error:  # not on the curve, not a product of these primes, unknown curve
        msg = "the numbers of the key do not fit together"
        raise SecretError(msg) from error


def public_jwk(key: Key) -> dict[str, str]:
    """Write the public half of a key, the way a JWKS document publishes it.

    Raises:
        UsageError: It is a secret, which has no public half.
    """
    public = key.public
    if public is None:
        msg = "a secret has no public half to publish"
        raise UsageError(msg)
    return {**_write(public), "use": "sig", "alg": key.alg, "kid": key.kid}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Name a key by what it is: SHA-256 over its required members, in base64url (RFC 7638).

    Raises:
        SecretError: The kind is unknown or a member is missing.
    """
    names = _THUMBPRINT.get(_text(jwk, "kty"))
    members = {name: _text(jwk, name) for name in names or ()}
    if not members or not all(members.values()):
        msg = "the key lacks a member, or is of an unknown kind"
        raise SecretError(msg)
    return base64.encode(sha256(encode(members)).digest())


def new_jwk(alg: str, randomness: Randomness) -> dict[str, str]:
    """Make a new private key as a JWK, named by its thumbprint. Keep it sealed.

    Args:
        alg: Any algorithm but the HMACs and the old name `EdDSA`. RSA is the slow choice: 57 ms to make a key
            of 2,048 bits and 256 us for each signature.
        randomness: Gives the private number; RSA draws its primes inside OpenSSL.

    Raises:
        UsageError: Another algorithm.
    """
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None or algorithm.family == "oct" or alg == "EdDSA":
        msg = "keys are made for RS…, PS…, ES… and Ed25519"
        raise UsageError(msg)
    members = _NEW[algorithm.family](algorithm, randomness)
    return {**members, "use": "sig", "alg": alg, "kid": thumbprint(members)}


def _new_rsa(_algorithm: Algorithm, _randomness: Randomness) -> dict[str, str]:
    key = rsa.generate_private_key(65537, RSA_BITS.start)
    numbers = key.private_numbers()
    parts = {"d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    return {**_write(key.public_key()), **{name: _number_text(part) for name, part in parts.items()}}


def _new_ec(algorithm: Algorithm, randomness: Randomness) -> dict[str, str]:
    curve = _CURVES[algorithm.curve]
    # 64 bits more than the order has, so that no number is likelier than another (FIPS 186-5 appendix A.2.1).
    number = 1 + int.from_bytes(randomness(algorithm.width + 8), "big") % (curve.group_order - 1)
    public = ec.derive_private_key(number, curve).public_key()
    return {**_write(public), "d": base64.encode(number.to_bytes(algorithm.width, "big"))}


def _new_okp(_algorithm: Algorithm, randomness: Randomness) -> dict[str, str]:
    seed = randomness(32)
    return {**_write(ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()), "d": base64.encode(seed)}


_NEW = {"RSA": _new_rsa, "EC": _new_ec, "OKP": _new_okp}


def _held_to_its_use(jwk: Mapping[str, Any], *, signs: bool) -> None:
    operations = jwk.get("key_ops", ["sign", "verify"])
    wanted = "sign" if signs and jwk.get("kty") != "oct" else "verify"
    if not isinstance(operations, list) or not all(isinstance(item, str) for item in operations):
        operations = []
    if jwk.get("use", "sig") != "sig" or wanted not in operations or len(set(operations)) != len(operations):
        msg = "the key is for another use than signatures"
        raise SecretError(msg)


def _text(jwk: Mapping[str, Any], name: str) -> str:
    """Give a member as text; empty when it is missing."""
    value = jwk.get(name, "")
    if not isinstance(value, str) or (name == "kid" and len(value) > _KID):
        msg = f"the key's {name!r} must be text"
        raise SecretError(msg)
    return value


def _bytes(jwk: Mapping[str, Any], name: str, limit: int) -> bytes:
    raw = base64.decode(_text(jwk, name))
    if not raw or len(raw) > limit:
        msg = f"the key's {name!r} is missing, too long or no base64url"
        raise SecretError(msg)
    return raw


def _number(jwk: Mapping[str, Any], name: str) -> int:
    """Read a number in its one shortest form (RFC 7518 section 2)."""
    raw = _bytes(jwk, name, _NUMBER_BYTES)
    if raw[0] == 0:
        msg = f"the key's {name!r} begins with a zero"
        raise SecretError(msg)
    return int.from_bytes(raw, "big")


def _rsa_numbers(jwk: Mapping[str, Any]) -> rsa.RSAPublicNumbers:
    return rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n"))


def _rsa_private(jwk: Mapping[str, Any]) -> PrivateKey:
    if "oth" in jwk:
        msg = "an RSA key has two primes here"
        raise SecretError(msg)
    p, q, d, dp, dq, qi = (_number(jwk, name) for name in ("p", "q", "d", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, _rsa_numbers(jwk)).private_key()


def _ec_numbers(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicNumbers:
    curve = _CURVES[_text(jwk, "crv")]
    width = (curve.key_size + 7) // 8
    x, y = _bytes(jwk, "x", width), _bytes(jwk, "y", width)
    if len(x) != width or len(y) != width:
        msg = "a coordinate has the width of its curve (RFC 7518 section 6.2.1.2)"
        raise SecretError(msg)
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)


def _ec_private(jwk: Mapping[str, Any]) -> PrivateKey:
    public = _ec_numbers(jwk)
    return ec.EllipticCurvePrivateNumbers(int.from_bytes(_bytes(jwk, "d", 66), "big"), public).private_key()


def _okp_public(jwk: Mapping[str, Any]) -> PublicKey:
    if _text(jwk, "crv") != "Ed25519":
        msg = "of this family only Ed25519 is known"
        raise SecretError(msg)
    return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk, "x", 32))


def _okp_private(jwk: Mapping[str, Any]) -> PrivateKey:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(jwk, "d", 32))
    if key.public_key() != _okp_public(jwk):
        msg = "the halves of the key do not belong together"
        raise SecretError(msg)
    return key


_READ_PUBLIC: dict[str, Callable[[Mapping[str, Any]], PublicKey]] = {
    "RSA": lambda jwk: _rsa_numbers(jwk).public_key(),
    "EC": lambda jwk: _ec_numbers(jwk).public_key(),
    "OKP": _okp_public,
}
_READ_PRIVATE: dict[str, Callable[[Mapping[str, Any]], PrivateKey]] = {
    "RSA": _rsa_private,
    "EC": _ec_private,
    "OKP": _okp_private,
}


def _write(key: PublicKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number_text(numbers.n), "e": _number_text(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, width = key.public_numbers(), (key.key_size + 7) // 8
        name = next(name for name, curve in _CURVES.items() if curve.name == key.curve.name)
        x, y = (base64.encode(number.to_bytes(width, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": name, "x": x, "y": y}
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.encode(key.public_bytes_raw())}


def _number_text(number: int) -> str:
    return base64.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
