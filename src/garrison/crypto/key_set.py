"""The keys a verifier trusts, swapped as a whole; how a set published by somebody is read.

Sources: RFC 7517 section 5; RFC 8725 sections 3.1 and 3.8; RFC 7515 section 10.11 (what a `kid` may do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.crypto.jwk import PRIVATE_MEMBERS, public_jwk, read_jwk, thumbprint
from garrison.crypto.key import Key, SigningKey
from garrison.errors import SecretError, UsageError
from garrison.model.http.body import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["KEYS", "KeySet", "read_set"]

KEYS = 64
"""Keys a set may have."""

_DEPTH = 6
_FIELDS = 32 * KEYS


class KeySet:
    """Keys by name. `generation` counts the changes, so that whoever remembers an answer knows when it is stale."""

    __slots__ = ("_keys", "generation", "signing")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Take the keys; the first `SigningKey` among them is the one that signs.

        Raises:
            SecretError: Two keys share a name, or secrets stand beside public keys.
        """
        self.generation = 0
        self._keys: dict[str, Key] = {}
        self.signing: SigningKey | None = None
        self.replace(keys)

    def replace(self, keys: Iterable[Key]) -> None:
        """Put other keys in place of all; on an error the old ones stay.

        Raises:
            SecretError: Two keys share a name, or secrets stand beside public keys: then a token could choose
                whether the public key is a key or a secret.
        """
        given = list(keys)
        found = {key.kid: key for key in given}
        if len(found) != len(given) or len(given) > KEYS:
            msg = f"a set has at most {KEYS} keys, each with a name of its own"
            raise SecretError(msg)
        if len({key.public is None for key in given}) > 1:
            msg = "secrets and public keys never stand in one set"
            raise SecretError(msg)
        self._keys = found
        self.signing = next((key for key in given if isinstance(key, SigningKey)), None)
        self.generation += 1

    def drop(self, kid: str) -> None:
        """Trust a key no longer, from the next instruction on."""
        self.replace([key for key in self._keys.values() if key.kid != kid])

    def find(self, kid: str | None, alg: str) -> Key | None:
        """Give the key a header names, if it is for that algorithm.

        Args:
            kid: The name; None when the header has none. Then the key is meant that alone has the algorithm.
            alg: The algorithm of the header. It never selects how to check, it only has to be the key's own.
        """
        if kid is None:
            fitting = [key for key in self._keys.values() if key.alg == alg]
            return fitting[0] if len(fitting) == 1 else None
        key = self._keys.get(kid)
        return key if key is not None and key.alg == alg else None

    def signer(self) -> SigningKey:
        """Give the key that signs.

        Raises:
            UsageError: The set only checks.
        """
        if self.signing is None:
            msg = "no key of this set can sign"
            raise UsageError(msg)
        return self.signing

    def __iter__(self) -> Iterator[Key]:
        """Go through the keys."""
        return iter(self._keys.values())

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._keys)

    def __contains__(self, kid: object) -> bool:
        """Tell whether a key has the name."""
        return kid in self._keys


def read_set(document: bytes, algorithms: Sequence[str]) -> list[Key]:
    """Read a JWKS document somebody published.

    Keys for other uses, of unknown kinds and for algorithms that are not wanted are left out, as RFC 7517
    section 5 asks. Faults that make the whole set doubtful refuse it.

    Args:
        document: As fetched.
        algorithms: Which to take. An RSA key that names no algorithm is read for the first `RS…` or `PS…`.

    Raises:
        SecretError: No JWKS, no key left, too many keys, two of one name, one material under two algorithms, a
            secret or a private key among them.
    """
    value = decode(document, depth=_DEPTH, fields=_FIELDS)
    members = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(members, list) or len(members) > KEYS:
        msg = f"not a key set of at most {KEYS} keys"
        raise SecretError(msg)
    jwks = [jwk for jwk in members if isinstance(jwk, dict)]
    if any(not PRIVATE_MEMBERS.isdisjoint(jwk) or jwk.get("kty") == "oct" for jwk in jwks):
        msg = "a published set holds a private key or a secret: whoever reads it can sign"
        raise SecretError(msg)
    rsa = next((alg for alg in algorithms if alg.startswith(("RS", "PS"))), "")
    keys = [key for jwk in jwks if (key := _wanted(jwk, algorithms, rsa)) is not None]
    names, materials = {key.kid for key in keys}, {thumbprint(public_jwk(key)) for key in keys}
    if not keys or len(names) != len(keys) or len(materials) != len(keys):
        msg = "a key set without a usable key, or with one name or one key twice"
        raise SecretError(msg)
    return keys


def _wanted(jwk: dict[str, Any], algorithms: Sequence[str], rsa: str) -> Key | None:
    fallback = rsa if jwk.get("kty") == "RSA" and "alg" not in jwk else ""
    try:
        key = read_jwk(jwk, fallback)
    except SecretError:
        return None
    return key if key.alg in algorithms else None
