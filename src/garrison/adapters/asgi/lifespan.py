"""An ASGI application that knows no lifespan gets one, so that the guard around it starts and ends in good order.

An application may refuse a lifespan by raising; a server then goes on without (ASGI lifespan protocol 2.0). To
the guard outside it would look as if the application had ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Message, Receive, Scope, Send
    from garrison.adapters.asgi.identity import App

__all__ = ["live"]


async def live(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the application live from start to end; a lifespan that it refuses by raising is answered here."""
    asked: list[Message] = []
    answered: list[Message] = []

    async def noted_receive() -> Message:
        asked.append(await receive())
        return asked[-1]

    async def noted_send(message: Message) -> None:
        answered.append(message)
        await send(message)

    try:
        await app(scope, noted_receive, noted_send)
    except Exception:
        if answered:
            raise
        await _answer(receive, send, begun=bool(asked))


async def _answer(receive: Receive, send: Send, *, begun: bool) -> None:
    """Say yes to whatever the server asks, from where the application left off."""
    message: Message = {"type": "lifespan.startup"} if begun else await receive()
    while True:
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
        message = await receive()
