"""Where others read our public keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.http.endpoint import Endpoint
from garrison.model.http.response import Response
from garrison.tokens.jwks import MAX_AGE

if TYPE_CHECKING:
    from garrison.model.http.endpoint import Call
    from garrison.tokens.keys import SigningKeys

__all__ = ["ENDPOINTS", "jwks"]

_HEADERS = (
    (b"content-type", b"application/jwk-set+json"),
    (b"cache-control", b"public, max-age=%d" % (MAX_AGE // 1_000_000)),
)


async def jwks(_: Call, keys: SigningKeys) -> Response:
    """Give the key set: public halves of every key that is trusted (RFC 7517 section 5)."""
    return Response(200, _HEADERS, keys.document())


ENDPOINTS = (
    Endpoint(
        name="jwks",
        method="GET",
        path="/.well-known/jwks.json",
        run=jwks,
        demands={"public": True, "limit": "10/s burst 100 per address"},
    ),
)
"""The key set; mounted at the root of the host (RFC 8615), its service is a `SigningKeys`."""
