"""Bytes to a served application and back, over a socket of loopback and in this process."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from garrison.adapters.asgi.middleware import Garrison
from garrison.cli.serving.wire import wire
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.runtime.compose import Runtime
from garrison.stores.protocols import Query
from tests.cli.serving.world import Answer

__all__ = ["POLICY", "Line"]

POLICY = """
service = "notes"

[routes]
"GET /plain" = { public = true }
"GET /held" = { public = true }
"POST /echo" = { public = true, content = ["text/plain"] }
"POST /early" = { public = true, content = ["text/plain"] }
"WS /live" = { public = true }
"""


class Line:
    """A server with a guard, and connections to it."""

    def __init__(self, runner: asyncio.Runner, runtime: Runtime) -> None:
        self._runner = runner
        self._runtime = runtime
        self._let_go = asyncio.Event()
        self.reached: list[str] = []
        """Paths that the application was asked for."""

    def say(self, *pieces: bytes) -> list[Answer]:
        """Send pieces over one connection, each once the one before is answered; give all until it is closed."""
        return _answers(self._runner.run(asyncio.wait_for(self._exchange(pieces, asyncio.Queue()), 60)))

    def press(self, *pieces: bytes) -> list[Answer]:
        """Send pieces, each once the one before was read, while `/held` waits; then give all until it is closed."""
        return _answers(self._runner.run(asyncio.wait_for(self._exchange(pieces, asyncio.Queue(), press=True), 60)))

    def drip(self, *pieces: bytes, every: float = 0.05) -> list[Answer]:
        """Send pieces, and the last one again and again, each a moment after the one before, until it is closed."""
        return _answers(self._runner.run(asyncio.wait_for(self._dripped(pieces, every), 60)))

    def crowd(self, *counts: int) -> list[list[int]]:
        """Open so many connections at once, call over each, and close them; gives the answers' status, per crowd."""
        return self._runner.run(asyncio.wait_for(self._crowded(counts), 60))

    def events(self) -> list[Event]:
        """Read the journal."""
        self._runtime.flush(last=True)
        return [sealed.event for sealed in drive(self._runtime.driven_side.face.read(Query()))]

    async def _dripped(self, pieces: tuple[bytes, ...], every: float) -> bytes:
        async with await self._server() as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            said, left = b"", list(pieces)
            with suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(left.pop(0) if len(left) > 1 else b"".join(left))
                    await writer.drain()
                    with suppress(TimeoutError):
                        said += await asyncio.wait_for(reader.read(65_536), every)
            writer.close()
            return said

    async def _crowded(self, counts: tuple[int, ...]) -> list[list[int]]:
        async with await self._server() as server:
            return [await self._crowd(server, count) for count in counts]

    async def _crowd(self, server: asyncio.Server, count: int) -> list[int]:
        place = server.sockets[0].getsockname()
        connections = [await asyncio.open_connection(*place) for _ in range(count)]
        for _, writer in connections:
            writer.write(b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n")
        statuses = [int((await reader.readuntil(b"\r\n")).split()[1]) for reader, _ in connections]
        for reader, writer in connections:
            writer.close()
            with suppress(ConnectionError):
                await reader.read()
        return statuses

    async def _server(self) -> asyncio.Server:
        config = uvicorn.Config(Garrison(self._app, runtime=self._runtime), interface="asgi3", log_config=None)
        config.load()
        state, protocol = ServerState(), wire(self._runtime)
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)

    async def _exchange(self, pieces: tuple[bytes, ...], read: asyncio.Queue[int], *, press: bool = False) -> bytes:
        config = uvicorn.Config(Garrison(self._app, runtime=self._runtime), interface="asgi3", log_config=None)
        config.load()
        state = ServerState()

        class Told(wire(self._runtime)):  # type: ignore[misc]  # the class is made at run time
            """Tells what it has read."""

            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                read.put_nowait(len(data))

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Told(config, state, {}), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            said = b""
            # Closed with something unread, a connection is reset.
            with suppress(ConnectionError):
                for turn, piece in enumerate(pieces):
                    said += await reader.readuntil(b"}") if turn and not press else b""
                    writer.write(piece)
                    await writer.drain()
                    if press:
                        await read.get()
                self._let_go.set()
                said += await reader.read()
            writer.close()
            return said

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the body, then tell the names of the request's fields; `/early` does not wait for the body.

        `/held` waits until all is sent, and a WebSocket is not taken.
        """
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["path"] == "/held":
            await self._let_go.wait()
        if scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"{}", "more_body": True})
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        body = json.dumps({name.decode(): "" for name, _ in scope["headers"]}).encode()
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


def _answers(said: bytes) -> list[Answer]:
    """Take answers apart; one without a length ends with the connection."""
    found = []
    while said:
        head, _, said = said.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        length = int(fields.get("content-length", len(said)))
        found.append(Answer(int(status.split()[1]), fields, said[:length]))
        said = said[length:]
    return found
