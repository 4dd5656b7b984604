"""What a caller sent, as every adapter hands it to the guard.

One pass over the header lines; nothing is decoded before somebody asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NONE", "Header", "Request", "repeated"]

Header = tuple[bytes, bytes]
"""A field name in lower case and its value, as received."""

NONE: frozenset[bytes] = frozenset()
"""No name stands more than once."""


class Request:
    """Method, target, headers and the socket's other end.

    Adapters build it; nobody changes it. `fields` holds one line per name; names that came more than
    once are in `repeated` as well, because which of two lines counts must never be a matter of taste.
    """

    __slots__ = ("fields", "headers", "method", "path", "peer", "query", "raw_path", "repeated", "scheme")

    def __init__(
        self,
        method: str,
        path: str,
        headers: Sequence[Header],
        *,
        raw_path: bytes = b"",
        query: bytes = b"",
        scheme: str = "http",
        peer: str = "",
    ) -> None:
        """Keep the parts.

        Args:
            method: As sent; methods are case-sensitive (RFC 9110 section 9.1).
            path: Decoded once by the server.
            headers: Lines in order, names in lower case.
            raw_path: The path as sent, before decoding; empty when the server does not tell.
            query: Without the question mark, as sent.
            scheme: `http`, `https`, `ws` or `wss`, as the server saw it.
            peer: Address of the socket's other end; empty when there is none (a Unix socket).
        """
        self.method = method
        self.path = path
        self.headers = headers
        self.raw_path = raw_path
        self.query = query
        self.scheme = scheme
        self.peer = peer
        self.fields = fields = dict(headers)
        self.repeated = NONE
        if len(fields) != len(headers):
            self.repeated = repeated(headers)

    def lines(self, name: bytes) -> list[bytes]:
        """List every line of a field, in order."""
        if name in self.repeated:
            return [value for field, value in self.headers if field == name]
        value = self.fields.get(name)
        return [] if value is None else [value]

    def line(self, name: bytes) -> bytes | None:
        """Give the field, several lines joined by commas as every recipient may (RFC 9110 section 5.3), or None."""
        return b", ".join(self.lines(name)) if name in self.repeated else self.fields.get(name)

    def one(self, name: bytes) -> str | None:
        """Give the field if it came exactly once, as latin-1 text (RFC 9110 section 5.5), else None."""
        value = self.fields.get(name)
        if value is None or name in self.repeated:
            return None
        return value.decode("latin-1")


def repeated(headers: Sequence[Header]) -> frozenset[bytes]:
    """List the names that stand more than once, in one pass: counting each would be quadratic in hostile headers."""
    seen: set[bytes] = set()
    twice: set[bytes] = set()
    for name, _ in headers:
        (twice if name in seen else seen).add(name)
    return frozenset(twice)
