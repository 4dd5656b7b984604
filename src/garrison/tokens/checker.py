"""The whole question about a token: whose is it, is it true, was it ended?

The asynchronous shell around `Verifier`: it reads keys that are due, asks again once when a key is unknown,
and asks the store itself when what is in memory is not proved fresh. With a store and a caller that never
wait it never suspends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from garrison.crypto import base64
from garrison.crypto.jws import TOKEN_BYTES
from garrison.errors import TokenError, UsageError
from garrison.tokens.cache import CachedVerifier
from garrison.tokens.verifier import Entry, Verifier, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.stores.protocols import Records
    from garrison.tokens.claims import Claims
    from garrison.tokens.jwks import KeySource
    from garrison.tokens.revocations import Revocations

__all__ = ["Checker", "Lasting", "Trusted"]


class _Issued(Struct, frozen=True):
    """Who a token says it is from; decides only which verifier refuses or believes it."""

    iss: str


_issuer = Decoder(_Issued).decode


class Trusted(NamedTuple):
    """An issuer whose tokens are believed."""

    verifier: Verifier[Claims] | CachedVerifier[Claims]
    """A cache is worth it for public-key algorithms."""

    source: KeySource | None = None
    """Where its keys come from; None for keys that never change while the process runs."""


class Lasting(NamedTuple):
    """What stands for a token that was believed: whose it is, and what is remembered of it, if anything is."""

    verifier: Verifier[Claims]
    source: KeySource | None
    entry: Entry
    cached: bool
    """Whether its signature need not be checked anew."""


class Checker:
    """Believes tokens of several issuers."""

    __slots__ = ("_by_issuer", "_fresh", "_only", "_records", "_revoked", "_verify")

    def __init__(self, trusted: Sequence[Trusted], revoked: Revocations, records: Records) -> None:
        """State whom to trust.

        Args:
            trusted: One entry for each issuer.
            revoked: What was ended before its time.
            records: Asked when `revoked` is not fresh.

        Raises:
            UsageError: None, or one issuer twice.
        """
        self._by_issuer = {_plain(entry).issuer: entry for entry in trusted}
        if not trusted or len(self._by_issuer) != len(trusted):
            msg = "a checker needs issuers, and each once"
            raise UsageError(msg)
        self._only = trusted[0] if len(trusted) == 1 else None
        # One issuer whose keys never change while the process runs: most deployments, and nothing to wait for.
        self._verify = self._only.verifier.verify if self._only and self._only.source is None else None
        self._revoked = revoked
        self._fresh = revoked.fresh
        self._records = records

    async def check(self, token: str | bytes, now: int, monotonic: int) -> Claims:
        """Give the claims of a token that is to be believed.

        Args:
            token: As it stood after `Bearer`.
            now: Wall microseconds.
            monotonic: Monotonic microseconds.

        Raises:
            TokenError: It is not.
            StoreError: Nobody knows: the issuer's keys are not available, or whether it was ended is not.
        """
        verify = self._verify
        claims = await self._carefully(token, now, monotonic) if verify is None else verify(token, now, self._revoked)
        if not self._fresh(monotonic):
            await self._revoked.ask(self._records, claims)
        return claims

    async def _carefully(self, token: str | bytes, now: int, monotonic: int) -> Claims:
        """Check a token of one of several issuers, or under keys that may have to be read first."""
        verifier, source = self._only or self._whose(token)
        if source is not None and source.due(monotonic):
            await source.refresh(monotonic)
        try:
            return verifier.verify(token, now, self._revoked)
        except TokenError as error:
            if error.reason != "key_unknown" or source is None or not await source.missed(monotonic):
                raise
        return verifier.verify(token, now, self._revoked)

    def lasting(self, token: str | bytes) -> Lasting | None:
        """Give what stands for a token that was believed this moment, or None where nothing can.

        Raises:
            TokenError: It is none.
        """
        trusted = self._only or self._whose(token)
        verifier, source = trusted
        entry = verifier.entry(token if isinstance(token, bytes) else encoded(token))
        return None if entry is None else Lasting(_plain(trusted), source, entry, isinstance(verifier, CachedVerifier))

    def stands(self, lasting: Lasting, token: bytes, now: int, monotonic: int) -> bool:
        """Tell whether a token is still to be believed, as far as that can be told without waiting.

        What it says was judged when it was remembered, and the same text says the same; left are the time, the
        keys, revocation and, unless the token is cached, its signature.

        Args:
            lasting: From `lasting`, for the same token.
            token: As it stood after `Bearer`; not looked at where it is cached.
            now: Wall microseconds.
            monotonic: Monotonic microseconds.
        """
        verifier, source, (generation, since, until, claims), cached = lasting
        if (source is not None and source.due(monotonic)) or not self._fresh(monotonic):
            return False
        if not since <= now < until or generation != verifier.keys.generation:
            return False
        return (cached or verifier.genuine(token)) and not self._revoked.refuses(claims, verifier.issuer)

    def _whose(self, token: str | bytes) -> Trusted:
        raw = token if isinstance(token, bytes) else encoded(token)
        if len(raw) > TOKEN_BYTES:
            raise TokenError("too_long")
        payload = base64.decode(raw.partition(b".")[2].partition(b".")[0])
        if payload is None:
            raise TokenError("form")
        try:
            trusted = self._by_issuer.get(_issuer(payload).iss)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise TokenError("payload") from error
        if trusted is None:
            raise TokenError("issuer")
        return trusted


def _plain(entry: Trusted) -> Verifier[Claims]:
    verifier = entry.verifier
    return verifier.verifier if isinstance(verifier, CachedVerifier) else verifier
