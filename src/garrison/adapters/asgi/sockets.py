"""WebSocket handshakes, guarded like requests: a refused one never reaches the application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from garrison.adapters.asgi.identity import identify
from garrison.errors import OwnershipError
from garrison.guard.finish import finish

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Message, Receive, Scope, Send
    from garrison.adapters.asgi.connections import Connections
    from garrison.adapters.asgi.identity import App
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request

__all__ = ["Socket", "serve_socket"]

_POLICY_VIOLATION = 1008
"""Close code for a connection that broke the policy (RFC 6455 section 7.4.1)."""


class Socket:
    """An open WebSocket: who asked for it, and whether it is over."""

    __slots__ = ("_send", "closed", "decision", "request")

    def __init__(self, request: Request, decision: Decision, send: Send) -> None:
        """Wrap the server's send for one connection."""
        self.request = request
        self.decision = decision
        self._send = send
        self.closed = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on; acceptance gets its headers."""
        if message["type"] == "websocket.accept":
            headers = finish(self.decision, self.request, 101, message.get("headers", ()))
            message = {**message, "headers": headers}
        self.closed = self.closed or message["type"] == "websocket.close"
        await self._send(message)

    async def close(self) -> None:
        """Close it for good, unless the application did."""
        if not self.closed:
            await self({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})


async def serve_socket(
    app: App, request: Request, decision: Decision, scope: Scope, receive: Receive, send: Send, connections: Connections
) -> None:
    """Refuse the handshake, or let the application serve the connection for as long as its credential holds."""
    if decision.answer is not None:
        await _refuse(request, decision, scope, send)
        return
    socket = Socket(request, decision, send)
    ending = connections.begin(socket)
    try:
        identify(scope, request, decision)
        await app(scope, receive, socket)
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
