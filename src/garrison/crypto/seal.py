"""Sealing: what must be read again but never seen in the store, such as a private signing key.

AES-256-GCM under a purpose key of the ring, with a fresh random nonce. The sealed text names its root, so
that roots rotate, and is bound to a context, so that a writer of the store cannot move a sealed value from
one record to another.

Sources: NIST SP 800-38D sections 5.2.1.1 and 8.3 (random 96-bit nonces: at most 2**32 seals per key).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from garrison.crypto import base64
from garrison.errors import SecretError

if TYPE_CHECKING:
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness

__all__ = ["is_current", "seal", "unseal"]

_VERSION = "s1"
_NONCE_BYTES = 12


def seal(ring: KeyRing, purpose: str, plain: bytes, context: str, randomness: Randomness) -> str:
    """Seal a value under the current root.

    Args:
        ring: Where the key comes from.
        purpose: What for, `signing-key`; each purpose has its own key.
        plain: The value.
        context: What it belongs to, `signing_key:<kid>`; `unseal` must be told the same.
        randomness: Gives the nonce.

    Returns:
        `s1.<root id>.<nonce, ciphertext and tag in base64url>`.
    """
    head = f"{_VERSION}.{ring.current}."
    nonce = randomness(_NONCE_BYTES)
    sealed = AESGCM(ring.key(purpose)).encrypt(nonce, plain, _bound(head, context))
    return head + base64.encode(nonce + sealed)


def unseal(ring: KeyRing, purpose: str, sealed: str, context: str) -> bytes:
    """Open what `seal` closed.

    Raises:
        SecretError: It is malformed, was changed, belongs to another context, or its root is gone.
    """
    version, _, rest = sealed.partition(".")
    root, _, text = rest.partition(".")
    raw = base64.decode(text)
    if version != _VERSION or raw is None:
        msg = "not a sealed value"
        raise SecretError(msg)
    cipher = AESGCM(ring.key(purpose, root or "none"))
    try:
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(f"{version}.{root}.", context))
    except (InvalidTag, ValueError) as error:  # ValueError: shorter than a nonce
        msg = "a sealed value was changed, or belongs elsewhere"
        raise SecretError(msg) from error


def is_current(ring: KeyRing, sealed: str) -> bool:
    """Tell whether the value is sealed under the current root; otherwise unseal it and seal it anew."""
    return sealed.startswith(f"{_VERSION}.{ring.current}.")


def _bound(head: str, context: str) -> bytes:
    """What is authenticated with the value; the head has no part of free length, so no two pairs are equal."""
    return (head + context).encode()
