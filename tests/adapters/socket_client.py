"""A WebSocket client without a network: plays a server to one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["connect"]


async def connect(
    app: Any,
    path: str,
    headers: Iterable[tuple[str, str]] = (),
    say: Iterable[str] = (),
    *,
    stay: asyncio.Event | None = None,
    can_answer: bool = True,
) -> list[dict[str, Any]]:
    """Open a connection, say something, and give everything the application sent.

    Args:
        app: The application.
        path: What is asked for.
        headers: Fields of the handshake, `host` aside.
        say: Texts that the client sends once it is accepted.
        stay: Held open until this is set; None: the client leaves at once.
        can_answer: Whether the server can refuse with a whole answer.
    """
    fields = [("host", "api.example.com"), *headers]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in fields],
        "client": ("192.0.2.1", 50000),
        "server": ("127.0.0.1", 443),
        "subprotocols": [],
        "state": {},
        "extensions": {"websocket.http.response": {}} if can_answer else {},
    }
    coming: list[dict[str, Any]] = [{"type": "websocket.connect"}]
    coming += [{"type": "websocket.receive", "text": text} for text in say]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        if stay is not None:
            await stay.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
