"""An ASGI application that knows no lifespan gets one, so that the guard around it starts and ends in good order.

An application may refuse a lifespan by raising; a server then goes on without (ASGI lifespan protocol 2.0). To
the guard outside it would look as if the application had ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.adapters.asgi.body import Message, Receive, Scope, Send

__all__ = ["WithLifespan"]


class WithLifespan:
    """Answers a lifespan where the application raises instead of answering."""

    def __init__(self, app: Any) -> None:
        """Wrap an ASGI application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; only a refused lifespan is answered here."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        asked, answered = [], []

        async def noted_receive() -> Message:
            asked.append(await receive())
            return asked[-1]

        async def noted_send(message: Message) -> None:
            answered.append(message)
            await send(message)

        try:
            await self._app(scope, noted_receive, noted_send)
        except Exception:
            if answered:
                raise
            await _answer(receive, send, begun=bool(asked))


async def _answer(receive: Receive, send: Send, *, begun: bool) -> None:
    """Say yes to whatever the server asks, from where the application left off."""
    message = {"type": "lifespan.startup"} if begun else await receive()
    while True:
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
        message = await receive()
