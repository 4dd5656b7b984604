"""Remember tokens that verified, so that an expensive signature is checked once a minute, not at every request.

Each rule here is somebody's advisory. The memory belongs to one verifier, so an answer is never given under
other demands than it was found with. It is keyed by a hash of the whole token: not by a part (then another
token gets these claims), and not by the token itself (then a memory dump holds live tokens). Only verified
tokens enter, so nobody without one can push others out. And a hit is looked at again: expiry, beginning,
revocation, and whether the keys are still the same.

Not worth it for HMAC, which is as cheap as the hash. Proofs of possession are never remembered.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from garrison.errors import UsageError
from garrison.model.units import MINUTE
from garrison.tokens.claims import Claims
from garrison.tokens.verifier import Entry, encoded

if TYPE_CHECKING:
    from garrison.tokens.revocations import Revocations
    from garrison.tokens.verifier import Verifier

__all__ = ["BYTES", "ENTRIES", "REMEMBERED", "CachedVerifier"]

REMEMBERED = MINUTE
"""Longest time a verified token is remembered, microseconds, whatever its `exp`."""

ENTRIES = 10_000
"""Most tokens remembered, where nothing else is said."""

BYTES = 16 << 20
"""Most memory for them, where nothing else is said; counted as three times the token and 1 KiB each."""

C = TypeVar("C", bound=Claims)


class CachedVerifier(Generic[C]):
    """Answers as its verifier does, faster for a token it has seen in the last minute."""

    __slots__ = ("_bytes", "_entries", "_new", "_old", "_weight", "verifier")

    def __init__(self, verifier: Verifier[C], entries: int = ENTRIES, size: int = BYTES) -> None:
        """Begin empty.

        Args:
            verifier: Whose answers are remembered, and nobody else's.
            entries: Most tokens, at least 2.
            size: Most memory in bytes, roughly.

        Raises:
            UsageError: A bound is too small to hold anything.
        """
        if entries < 2 or size < 1 << 16:
            msg = "a cache holds at least 2 tokens and 64 KiB"
            raise UsageError(msg)
        self.verifier = verifier
        # Two halves: when the new one is full it becomes the old one, and what nobody asked for meanwhile is gone.
        self._entries = entries // 2
        self._bytes = size // 2
        self._new: dict[bytes, Entry] = {}
        self._old: dict[bytes, Entry] = {}
        self._weight = 0

    def verify(self, token: str | bytes, now: int, revoked: Revocations | None = None) -> C:
        """Give the claims of a token that is to be believed, as `Verifier.verify` does.

        Raises:
            TokenError: It is not.
        """
        raw = token if isinstance(token, bytes) else encoded(token)
        name = sha256(raw).digest()
        entry = self._new.get(name)
        if entry is None:
            entry = self._old.get(name)
            if entry is not None:
                self._keep(name, entry, len(raw))
        if entry is not None:
            generation, since, until, claims = entry
            lives = since <= now < until and generation == self.verifier.keys.generation
            if lives and (revoked is None or not revoked.refuses(claims, self.verifier.issuer)):
                return claims  # type: ignore[return-value]  # this verifier's own answer
        return self._learn(name, raw, now, revoked)

    def entry(self, raw: bytes) -> Entry | None:
        """Give what is remembered of a token, or None; whoever keeps it asks `Checker.stands` before each use."""
        name = sha256(raw).digest()
        return self._new.get(name) or self._old.get(name)

    def _learn(self, name: bytes, raw: bytes, now: int, revoked: Revocations | None) -> C:
        # Read before: if the keys change while the signature is checked, the entry is born stale.
        generation = self.verifier.keys.generation
        claims = self.verifier.verify(raw, now, revoked)
        until = min(self.verifier.until(claims), now + REMEMBERED)
        self._keep(name, Entry(generation, self.verifier.since(claims), until, claims), len(raw))
        return claims

    def _keep(self, name: bytes, entry: Entry, length: int) -> None:
        if len(self._new) >= self._entries or self._weight >= self._bytes:
            self._old, self._new, self._weight = self._new, {}, 0
        self._new[name] = entry
        self._weight += 3 * length + 1024

    @property
    def count(self) -> int:
        """Count the tokens remembered."""
        return len(self._new.keys() | self._old.keys())
