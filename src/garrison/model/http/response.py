"""What Garrison answers by itself: status, header lines, body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from garrison.model.http.request import Header

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["NO_STORE", "Response", "json_response"]

NO_STORE: tuple[bytes, bytes] = (b"cache-control", b"no-store")
"""What an answer about one caller carries, so that no cache gives it to another (RFC 9111 section 5.2.2.5)."""


class Response(Struct, frozen=True):
    """A whole answer. The adapter adds the headers that belong on every answer."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""


def json_response(status: int, value: Any, headers: Sequence[Header] = ()) -> Response:
    """Answer with JSON, marked as not to be stored."""
    body = msgspec.json.encode(value)
    own = (b"content-type", b"application/json"), NO_STORE
    return Response(status=status, headers=(*own, *headers), body=body)
