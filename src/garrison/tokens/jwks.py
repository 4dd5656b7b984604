"""The keys of a foreign issuer, fetched from where the policy says and from nowhere else.

One object for each issuer, so that no issuer's answer ever becomes another's key. What a token says (`jku`,
`x5u`, an unknown `kid`) never chooses an address, and can make us fetch only so often. A failed fetch, an
empty or doubtful answer changes nothing: the last good set stays, for a day at most.

How it is fetched is `egress`' part: https, no redirect, no private address, 5 s, a cap on size, and one request
for all who ask at the same time.

Sources: RFC 7517 section 5; RFC 8725 section 3.10; RFC 9700 section 4.5.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from garrison.crypto.algorithms import ALGORITHMS
from garrison.crypto.key_set import KeySet, read_set
from garrison.errors import SecretError, StoreError, UsageError
from garrison.model.units import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.model.http.fetch import Fetch

__all__ = ["BUDGET", "COOLDOWN", "DOCUMENT_BYTES", "KEPT", "MAX_AGE", "Jwks", "KeySource"]

MAX_AGE = 10 * MINUTE
"""A set older than this is fetched again before it is used."""

KEPT = DAY
"""A set that could not be renewed is used this long, then no more: else blocking us would keep a stolen key alive."""

COOLDOWN = 30 * SECOND
"""Least time between two fetches, whatever tokens come."""

BUDGET = 20
"""Fetches in an hour that tokens with unknown keys can cause."""

DOCUMENT_BYTES = 64 << 10
"""A key set is at most this long."""


class KeySource(Protocol):
    """Where a verifier's keys come from while it runs."""

    keys: KeySet

    def due(self, monotonic: int) -> bool:
        """Tell whether `refresh` is called for before the keys are used."""
        ...

    async def refresh(self, monotonic: int) -> None:
        """Read the keys again.

        Raises:
            StoreError: There is no usable key.
        """
        ...

    async def missed(self, monotonic: int) -> bool:
        """A token named an unknown key: look for news if that is allowed now, and tell whether there was any.

        Raises:
            StoreError: A store could not answer.
        """
        ...


class Jwks:
    """The key set of one issuer."""

    def __init__(self, url: str, fetch: Fetch, algorithms: Sequence[str] = ("RS256", "ES256")) -> None:
        """Know no key yet; the first token, or `refresh` at start, fetches them.

        Args:
            url: Where the set is, https.
            fetch: An awaiting or blocking caller of `egress`.
            algorithms: What the issuer signs with, public-key algorithms only.

        Raises:
            UsageError: Another scheme, or an algorithm that is unknown or needs a secret.
        """
        families = {ALGORITHMS[alg].family if alg in ALGORITHMS else "" for alg in algorithms}
        if not url.startswith("https://") or not families or not families.isdisjoint({"", "oct"}):
            msg = "a key set has an https address and at least one public-key algorithm"
            raise UsageError(msg)
        self.keys = KeySet()
        """For a `Verifier`."""

        self.problem = ""
        """Why the last fetch gave nothing, for the operator; empty after a good one."""

        self._url = url
        self._fetch = fetch
        self._algorithms = tuple(algorithms)
        self._document = b""
        self._good: int | None = None
        self._tried: int | None = None
        self._flying = 0
        self._spent: deque[int] = deque(maxlen=BUDGET)

    def due(self, monotonic: int) -> bool:
        """Tell whether the keys are missing, or old and may be fetched."""
        if self._good is None or not len(self.keys):
            return True
        return monotonic - self._good >= MAX_AGE and self._rested(monotonic)

    async def refresh(self, monotonic: int) -> None:
        """Fetch the set.

        Raises:
            StoreError: There is no usable key, and no fetch could change that now.
        """
        # Whoever comes while a fetch is under way joins it; `egress` makes one request of both.
        if self._flying or self._rested(monotonic):
            await self._renew(monotonic)
        if self._good is None or monotonic - self._good >= KEPT:
            if len(self.keys):
                self.keys.replace([])
            msg = f"the keys of an issuer are not available: {self.problem}"
            raise StoreError(msg)

    async def missed(self, monotonic: int) -> bool:
        """Fetch because of an unknown key, within cooldown and budget."""
        generation = self.keys.generation
        if not self._flying:
            over = len(self._spent) == BUDGET and monotonic - self._spent[0] < HOUR
            if over or not self._rested(monotonic):
                return False
            self._spent.append(monotonic)
        await self._renew(monotonic)
        return self.keys.generation != generation

    def _rested(self, monotonic: int) -> bool:
        return self._tried is None or monotonic - self._tried >= COOLDOWN

    async def _renew(self, monotonic: int) -> None:
        self._tried = monotonic
        self._flying += 1
        try:
            status, _, body = await self._fetch(self._url)
            if status != 200 or len(body) > DOCUMENT_BYTES:
                msg = f"status {status}, {len(body)} bytes"
                raise StoreError(msg)
            if body != self._document:
                self.keys.replace(read_set(body, self._algorithms))
                self._document = body
        except (StoreError, SecretError) as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self._good = monotonic
        finally:
            self._flying -= 1
