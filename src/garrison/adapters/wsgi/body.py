"""Hold a WSGI body to its caps: bytes, and time as far as a blocking read lets us look at the clock."""

from __future__ import annotations

import io
from time import monotonic
from typing import TYPE_CHECKING, Any

from garrison.adapters.refused import RefusedError
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from garrison.guard.force import InForce
    from garrison.model.http.request import Request

__all__ = ["Capped", "read_whole"]

_PIECE = 65_536


class Capped(io.RawIOBase):
    """A `wsgi.input` that breaks off a body over its caps, and never reads past its declared end."""

    def __init__(self, source: Any, request: Request, most: int, force: InForce) -> None:
        """Wrap the server's input.

        Args:
            source: The server's `wsgi.input`.
            request: Says how long the body claims to be, which the guard has found good.
            most: Bytes of the whole body.
            force: Holds the time and the pace.
        """
        super().__init__()
        declared = request.fields.get(b"content-length")
        self._source = source
        self._left = None if declared is None else int(declared)
        self._most = most
        self._pace = force.body_rate
        self._deadline = monotonic() + force.body_time / SECOND
        self._taken = 0

    @staticmethod
    def of(body: bytes) -> io.BytesIO:
        """Give a body that was read already to the application."""
        return io.BytesIO(body)

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next piece.

        Raises:
            RefusedError: Too many bytes, or too slow.
        """
        wanted = len(buffer) if self._left is None else min(len(buffer), self._left)
        piece = self._source.read(wanted) if wanted else b""
        self._taken += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        if self._taken > self._most:
            raise RefusedError(refuse("body_too_large", "counted"))
        if monotonic() > self._deadline + self._taken / self._pace:
            raise RefusedError(refuse("body_too_slow", "deadline"))
        buffer[: len(piece)] = piece
        return len(piece)


def read_whole(source: Any, request: Request, most: int, force: InForce) -> bytes | Refusal:
    """Read a whole body within its caps."""
    capped = Capped(source, request, most, force)
    parts = []
    try:
        while piece := capped.read(_PIECE):
            parts.append(piece)
    except RefusedError as error:
        return error.refusal
    return b"".join(parts)
