"""A streaming answer goes on for as long as its credential holds.

Without this a revoked key would go on reading for as long as the answer is being made. WSGI hands out pieces one by
one, so it is between two of them that the guard can look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.drive import drive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.http.request import Request

__all__ = ["LOOK", "held"]

LOOK = 400_000
"""Microseconds between two looks, as over ASGI."""


def held(
    pieces: Iterable[bytes], guard: Guard, request: Request, decision: Decision, monotonic: Callable[[], int]
) -> Iterator[bytes]:
    """Pass the pieces of an answer on.

    Raises:
        ConnectionAbortedError: The credential is refused by now. The server cuts the connection, so that nobody
            takes what came for the whole answer.
    """
    looked = monotonic()
    for piece in pieces:
        now = monotonic()
        if now - looked >= LOOK:
            looked = now
            if not drive(guard.still_allowed(request, decision)):
                msg = "the credential is no longer accepted"
                raise ConnectionAbortedError(msg)
        yield piece
