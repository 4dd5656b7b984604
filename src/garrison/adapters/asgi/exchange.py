"""One answer on its way out: headers finished once, a success withheld when ownership was never proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.finish import finish
from garrison.guard.respond import problem

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Message, Send
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.refusal import Refusal
    from garrison.model.request import Request
    from garrison.model.response import Response

__all__ = ["Exchange"]


class Exchange:
    """An ASGI `send` that finishes what passes through it."""

    __slots__ = ("_guard", "_send", "_swallow", "decision", "request", "started")

    def __init__(self, request: Request, decision: Decision, send: Send, guard: Guard) -> None:
        """Wrap the server's send for one request."""
        self.request = request
        self.decision = decision
        self._send = send
        self._guard = guard
        self._swallow = False
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on; the first one gets its headers."""
        if self._swallow:
            return
        if message["type"] == "http.response.start":
            replacement = self._guard.withhold(self.request, self.decision, message["status"])
            if replacement is not None:
                self._swallow = True
                await self.answer(replacement)
                return
            self.started = True
            headers = finish(self.decision, self.request, message["status"], message.get("headers", ()))
            message = {**message, "headers": headers}
        await self._send(message)

    async def answer(self, response: Response) -> None:
        """Send a whole answer of Garrison's own."""
        self.started = True
        body = b"" if self.request.method == "HEAD" else response.body
        length = (b"content-length", str(len(response.body)).encode())
        headers = finish(self.decision, self.request, response.status, (*response.headers, length))
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        """Answer a refusal that came while the application ran; too late once it has begun to answer."""
        if not self.started:
            await self.answer(problem(refusal, self.decision.correlation))
