"""What is asked and how the answer is read, without any socket: the same for both callers.

The parser is llhttp (httptools) in its strict form. On top: no informational answers, no redirects, a body
whose end is stated, nothing compressed, caps on head and body that hold while bytes arrive.

Sources: RFC 9112 sections 6 and 7; RFC 9110 sections 8.4 and 15.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpResponseParser

from garrison.errors import StoreError
from garrison.model.http.fetch import Fetched
from garrison.model.version import VERSION

if TYPE_CHECKING:
    from garrison.egress.rules import Target

__all__ = ["HEAD_BYTES", "Answer", "question"]

HEAD_BYTES = 16 << 10
"""Most bytes of status line and fields."""

_SLICE = 1 << 10
"""Bytes the parser gets at once, so that no cap is passed by more than that."""


def question(target: Target) -> bytes:
    """Write the request."""
    default = target.port == (443 if target.secure else 80)
    host = target.host if default else f"{target.host}:{target.port}"
    return (
        f"GET {target.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: garrison/{VERSION}\r\n"
        "Accept: application/json, */*;q=0.1\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


class Answer:
    """Reads an answer piece by piece."""

    def __init__(self, size: int) -> None:
        """Begin with nothing read.

        Args:
            size: Most bytes of the body.
        """
        self.done = False
        """Whether the answer is whole."""

        self._size = size
        self._head = 0
        self._in_body = False
        self._fields: dict[str, str] = {}
        self._body = bytearray()
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what arrived; no bytes mean the end of the connection.

        Raises:
            StoreError: The answer is malformed, too large, cut short, or of a kind that is refused.
        """
        if not data:
            _refuse("the answer was cut short")
        for start in range(0, len(data), _SLICE):
            self._parse(data[start : start + _SLICE])

    def _parse(self, data: bytes) -> None:
        if not self._in_body:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                _refuse("the head of the answer is too large")
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            refused = error.__context__
            if isinstance(refused, StoreError):
                raise refused from None
            msg = "the answer is not HTTP as it must be"
            raise StoreError(msg) from error

    def fetched(self) -> Fetched:
        """Give the whole answer."""
        return Fetched(self._parser.get_status_code(), self._fields, bytes(self._body))

    # What the parser calls; the names are httptools'.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field; lines of one name are joined (RFC 9110 section 5.3)."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._fields[key] = f"{self._fields[key]}, {text}" if key in self._fields else text

    def on_headers_complete(self) -> None:
        """Decide by status and framing whether the body is wanted at all."""
        self._in_body = True
        status, fields = self._parser.get_status_code(), self._fields
        length, coding = fields.get("content-length"), fields.get("transfer-encoding")
        if status < 200 or 300 <= status < 400:
            _refuse(f"the answer has the status {status}; redirects are not followed")
        if (length is None) == (coding is None) or (coding is not None and coding.lower() != "chunked"):
            _refuse("the answer does not say in one way where it ends")
        if fields.get("content-encoding", "identity").lower() != "identity":
            _refuse("the answer is compressed, which was not asked for")
        if length is not None and int(length) > self._size:
            _refuse("the answer is too large")

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if len(self._body) + len(data) > self._size:
            _refuse("the answer is too large")
        self._body += data

    def on_message_complete(self) -> None:
        """Note the end."""
        self.done = True


def _refuse(text: str) -> None:
    raise StoreError(text)
