"""What an outbound HTTP client gives; `garrison.egress` is the only one that Garrison has."""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["Fetch", "Fetched"]


class Fetched(NamedTuple):
    """An answer from outside: a whole body under the cap."""

    status: int
    headers: dict[str, str]
    body: bytes


class Fetch(Protocol):
    """Get a document from an allowed host; an awaiting and a blocking implementation exist."""

    async def __call__(self, url: str) -> Fetched:
        """Fetch with GET, without redirects, within the caps of `garrison.egress`.

        Raises:
            StoreError: It could not be fetched.
        """
        ...
