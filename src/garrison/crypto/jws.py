"""Compact JWS framing: what a token looks like, before anybody asks what it says.

A token is three base64url texts with two dots between them; its header is one JSON object with one meaning.
Everything that RFC 7515 leaves open to the sender and that Garrison has no use for is refused here: other
serializations, extensions (`crit`), unencoded payloads (`b64`), and keys or addresses of keys are never
looked at (`jwk`, `jku`, `x5c`, `x5u`).

Sources: RFC 7515 sections 3.1, 4.1 and 7.1; RFC 7797 section 6; RFC 8725 sections 2 and 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.json import encode

from garrison.crypto import base64
from garrison.errors import TokenError
from garrison.model.http.body import decode

if TYPE_CHECKING:
    from garrison.crypto.key import SigningKey

__all__ = ["DEPTH", "HEADER_BYTES", "TOKEN_BYTES", "Header", "read_header", "seal_token", "write_header"]

TOKEN_BYTES = 8192
"""A token is at most this long; servers cap a header line at about the same."""

HEADER_BYTES = 2048
"""A header segment is at most this long: it is read before anything is proved."""

DEPTH = 8
"""Brackets that may stand inside each other in a header or in claims."""

_TEXT = 256
"""Characters of a `kid` or `typ`."""


class Header(NamedTuple):
    """What a header says, as far as anybody listens."""

    alg: str
    kid: str | None
    typ: str
    """In lower case and without `application/`; empty when absent (RFC 7515 section 4.1.9)."""


def read_header(segment: bytes) -> Header:
    """Read the first segment of a token.

    Raises:
        TokenError: `header` when it is no strict base64url of one JSON object with texts for `alg`, `kid` and
            `typ`; `critical` when it asks for an extension.
    """
    raw = base64.decode(segment) if len(segment) <= HEADER_BYTES else None
    members = None if raw is None else decode(raw, depth=DEPTH)
    if not isinstance(members, dict):
        raise TokenError("header")
    if "crit" in members or "b64" in members:
        # An extension that must be understood (RFC 7515 section 4.1.11); none is, and an empty list is illegal.
        raise TokenError("critical")
    alg, kid, typ = members.get("alg"), members.get("kid"), members.get("typ", "")
    if not isinstance(alg, str) or not isinstance(typ, str) or not isinstance(kid, str | None):
        raise TokenError("header")
    if ("kid" in members and kid is None) or len(kid or "") > _TEXT or len(typ) > _TEXT:
        raise TokenError("header")
    return Header(alg, kid, typ.lower().removeprefix("application/"))


def write_header(key: SigningKey, typ: str) -> bytes:
    """Write the first segment of a token and its dot; the same for every token of a key and kind."""
    names = {"kid": key.kid} if key.kid else {}
    return base64.written(encode({"alg": key.alg, **names, "typ": typ})) + b"."


def seal_token(key: SigningKey, header: bytes, payload: bytes) -> str:
    """Sign a payload.

    Args:
        key: Whose `write_header` gave the header.
        header: First segment and dot.
        payload: The claims, as JSON.
    """
    message = header + base64.written(payload)
    return (message + b"." + key.sign(message)).decode("ascii")
