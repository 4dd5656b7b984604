"""Hold an incoming body to its caps: bytes, time and pace.

No ASGI server bounds a body that drips in; a handful of such requests would hold every worker for ever. The
deadline is total, so that a byte every few seconds does not keep it alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, final

from garrison.adapters.refused import RefusedError
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from garrison.guard.force import InForce

__all__ = ["Bounded", "Gone", "Message", "Receive", "Scope", "Send", "bodiless", "read_body", "replay"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_LEAST_CHUNKS = 1_024
_BYTES_A_CHUNK = 64
"""A body may come in 1,024 messages, and one more for every 64 bytes: single bytes are dear to pass on."""


@final
class Gone:
    """The caller went away before the body was whole."""


class Bounded:
    """An ASGI `receive` that breaks off a body over its caps."""

    __slots__ = ("_chunks", "_deadline", "_done", "_most", "_pace", "_receive", "_taken")

    def __init__(self, receive: Receive, most: int, force: InForce) -> None:
        """Wrap a receive.

        Args:
            receive: The server's.
            most: Bytes of the whole body.
            force: Holds the time and the pace.
        """
        self._receive = receive
        self._most = most
        self._pace = force.body_rate
        self._deadline = asyncio.get_running_loop().time() + force.body_time / SECOND
        self._taken = 0
        self._chunks = 0
        self._done = False

    async def __call__(self) -> Message:
        """Receive one message, within what is left of the time.

        Raises:
            RefusedError: Too many bytes, too many messages, or too slow.
        """
        if self._done:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline + self._taken / self._pace):
                message = await self._receive()
        except TimeoutError:
            raise RefusedError(refuse("body_too_slow", "deadline")) from None
        if message["type"] != "http.request":
            self._done = True
            return message
        self._count(len(message.get("body", b"")))
        self._done = not message.get("more_body", False)
        return message

    def _count(self, size: int) -> None:
        self._taken += size
        self._chunks += 1
        if self._taken > self._most:
            raise RefusedError(refuse("body_too_large", "counted"))
        if self._chunks > _LEAST_CHUNKS + self._taken // _BYTES_A_CHUNK:
            raise RefusedError(refuse("body_too_slow", "chunks"))


async def read_body(receive: Receive, most: int, force: InForce) -> bytes | Refusal | Gone:
    """Read a whole body within its caps."""
    bounded = Bounded(receive, most, force)
    parts: list[bytes] = []
    try:
        while True:
            message = await bounded()
            if message["type"] != "http.request":
                return Gone()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)
    except RefusedError as error:
        return error.refusal


def bodiless(receive: Receive) -> Receive:
    """Let no body through that nothing announced, and that was therefore not judged.

    In HTTP/2 and HTTP/3 a body needs neither `Content-Length` nor `Transfer-Encoding` (RFC 9113 section 8.1).
    """

    async def judged() -> Message:
        message = await receive()
        if message.get("body"):
            raise RefusedError(refuse("length_required", "unannounced"))
        return message

    return judged


def replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already to the application, then whatever comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
