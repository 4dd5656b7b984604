"""One answer on its way out: headers finished once, a success withheld when ownership was never proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from garrison.guard.finish import finish, finish_own
from garrison.guard.respond import problem

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.adapters.asgi.body import Message, Send
    from garrison.adapters.asgi.connections import Connections
    from garrison.adapters.asgi.gate import Lane
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Request
    from garrison.model.http.response import Response

__all__ = ["Exchange"]


class Exchange(Struct, eq=False):
    """An ASGI `send` that finishes what passes through it."""

    request: Request
    decision: Decision
    out: Send
    """The server's send."""

    guard: Guard
    connections: Connections
    started: bool = False
    """Whether an answer has begun."""

    replaced: bool = False
    """Whether it is one of Garrison's own, in the application's place."""

    held: bool = False
    """Whether it streams."""

    place: Lane | None = None
    """Where it counts as being worked on."""

    closes: bool = False
    """Whether its connection can be closed by a field: HTTP/2 and HTTP/3 have none for it."""

    def send(self, message: Message) -> Awaitable[None]:
        """Pass one message on; the first one gets its headers.

        A plain function that gives the server's own awaitable: one coroutine less for every message.
        """
        if message["type"] == "http.response.start":
            status = message["status"]
            if self.decision.principal.proof is not None:
                replacement = self.guard.withhold(self.request, self.decision, status)
                if replacement is not None:
                    self.replaced = True
                    return self.answer(replacement)
            self.started = True
            headers = finish(self.decision, self.request, status, message.get("headers", ()))
            return self.out({**message, "headers": headers})
        if self.replaced:
            return _nothing()
        if not self.held and message.get("more_body", False):
            # It streams: from now on it is open for as long as its credential holds, and no longer.
            self.held = True
            self.connections.begin(self)
            self.vacate()
        return self.out(message)

    def vacate(self) -> None:
        """Count no longer as being worked on: it streams, which may go on for hours."""
        if self.place is not None:
            self.place.leave()
            self.place = None

    def end(self) -> None:
        """Let go of what was held for it, however it went."""
        if self.place is not None:
            self.place.leave()
        if self.held:
            self.connections.end()

    async def answer(self, response: Response) -> None:
        """Send a whole answer of Garrison's own."""
        self.started = True
        body = b"" if self.request.method == "HEAD" else response.body
        headers = finish_own(self.decision, self.request, response)
        if response.status == 408 and self.closes:
            # What is left of the body would hold the connection as before (RFC 9110 section 15.5.9).
            headers.append((b"connection", b"close"))
        await self.out({"type": "http.response.start", "status": response.status, "headers": headers})
        await self.out({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        """Answer a refusal that came while the application ran; too late once it has begun to answer."""
        if not self.started:
            self.replaced = True
            await self.answer(problem(refusal, self.decision.correlation))


async def _nothing() -> None:
    """Take a message of an answer that was replaced."""
