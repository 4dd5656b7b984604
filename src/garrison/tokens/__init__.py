"""Tokens: issue, verify, revoke, refresh; usable alone, without a policy.

The names below are loaded on first use, so that whoever only verifies pays for nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.crypto.jwk import new_jwk, public_jwk, read_jwk, thumbprint
    from garrison.crypto.key import Key, SigningKey, read_pem, secret_key
    from garrison.crypto.key_set import KeySet
    from garrison.errors import TokenError
    from garrison.tokens.cache import CachedVerifier
    from garrison.tokens.claims import Claims
    from garrison.tokens.issue import Issued, Issuer
    from garrison.tokens.reasons import REASONS
    from garrison.tokens.revocations import REVOCATIONS, Revocations
    from garrison.tokens.verifier import Verifier

__all__ = [
    "REASONS",
    "REVOCATIONS",
    "CachedVerifier",
    "Claims",
    "Issued",
    "Issuer",
    "Key",
    "KeySet",
    "Revocations",
    "SigningKey",
    "TokenError",
    "Verifier",
    "new_jwk",
    "public_jwk",
    "read_jwk",
    "read_pem",
    "secret_key",
    "thumbprint",
]

_HOMES = {
    "garrison.crypto.jwk": ("new_jwk", "public_jwk", "read_jwk", "thumbprint"),
    "garrison.crypto.key": ("Key", "SigningKey", "read_pem", "secret_key"),
    "garrison.crypto.key_set": ("KeySet",),
    "garrison.errors": ("TokenError",),
    "garrison.tokens.cache": ("CachedVerifier",),
    "garrison.tokens.claims": ("Claims",),
    "garrison.tokens.issue": ("Issued", "Issuer"),
    "garrison.tokens.reasons": ("REASONS",),
    "garrison.tokens.revocations": ("REVOCATIONS", "Revocations"),
    "garrison.tokens.verifier": ("Verifier",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(home), name)
