"""WebSocket handshakes, guarded like requests: a refused one never reaches the application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from garrison.adapters.asgi.identity import identify
from garrison.errors import OwnershipError
from garrison.guard.finish import finish
from garrison.limits.rate import spend
from garrison.model.http.refusal import refuse
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Message, Receive, Scope, Send
    from garrison.adapters.asgi.connections import Connections
    from garrison.adapters.asgi.identity import App
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.http.request import Request

__all__ = ["Socket", "serve_socket"]

_POLICY_VIOLATION = 1008
"""Close code for a connection that broke the policy (RFC 6455 section 7.4.1)."""

_TOO_BIG = 1009
"""Close code for a message that is larger than taken here."""


class Socket:
    """An open WebSocket: who asked for it, what it may send, and whether it is over."""

    __slots__ = ("_guard", "_owed", "_receive", "_send", "closed", "decision", "request")

    def __init__(self, request: Request, decision: Decision, receive: Receive, send: Send, guard: Guard) -> None:
        """Wrap the server's receive and send for one connection."""
        self.request = request
        self.decision = decision
        self._receive = receive
        self._send = send
        self._guard = guard
        self._owed: int | None = None
        self.closed = False

    async def receive(self) -> Message:
        """Take one message; one too many or too large ends the connection, for the application as if it had left."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        code = self._judged(message)
        if code:
            await self.close(code)
            return {"type": "websocket.disconnect", "code": code, "reason": ""}
        return message

    def _judged(self, message: Message) -> int:
        """Give the code with which a message ends the connection, or 0."""
        force = self.decision.force
        if len(message.get("bytes") or message.get("text") or "") > force.message:
            self._guard.note(self.request, self.decision, refuse("body_too_large", "message"))
            return _TOO_BIG
        now = round(asyncio.get_running_loop().time() * SECOND)
        kept, verdict = spend(self._owed, now, force.messages, 1)
        if not verdict.allowed:
            self._guard.note(self.request, self.decision, refuse("limit_exceeded", "messages"))
            return _POLICY_VIOLATION
        self._owed = kept
        return 0

    async def send(self, message: Message) -> None:
        """Pass one message on; acceptance gets its headers."""
        if message["type"] == "websocket.accept":
            headers = finish(self.decision, self.request, 101, message.get("headers", ()))
            message = {**message, "headers": headers}
        if self.closed:
            return
        self.closed = message["type"] == "websocket.close"
        await self._send(message)

    async def close(self, code: int = _POLICY_VIOLATION) -> None:
        """Close it for good, unless the application did."""
        await self.send({"type": "websocket.close", "code": code, "reason": ""})


async def serve_socket(app: App, scope: Scope, socket: Socket, connections: Connections) -> None:
    """Refuse the handshake, or let the application serve the connection for as long as its credential holds."""
    request, decision = socket.request, socket.decision
    if decision.answer is not None:
        await _refuse(request, decision, scope, socket.send)
        return
    ending = connections.begin(socket)
    try:
        identify(scope, request, decision)
        await app(scope, socket.receive, socket.send)
    except OwnershipError:
        await socket.close()
    except asyncio.CancelledError:
        if ending is None or not ending.ended:
            raise
        await socket.close()
    finally:
        if ending is not None:
            connections.end()


async def _refuse(request: Request, decision: Decision, scope: Scope, send: Send) -> None:
    """Answer with the status if the server can, else close before acceptance, which it answers with 403."""
    answer = decision.answer
    if answer is None or "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        return
    headers = finish(decision, request, answer.status, answer.headers)
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
