"""How long does `garrison serve` wait for a caller that keeps it waiting? Rival: the time that the policy declares.

A silent connection, a head that drips a field at a time and a body that drips a byte at a time, over real sockets of
loopback. In seconds of real time, at deadlines of one second, so that a busy machine shows. Not measured: how many such
connections a server bears.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from benchmarks.figure import Figure, figure
from garrison.adapters.asgi.middleware import Garrison
from garrison.cli.serving.wire import wire
from garrison.policy.load import load
from garrison.runtime.compose import compose

__all__ = ["figures"]

_DECLARED = 1.0
_POLICY = f"""
[caps]
head_time = "{_DECLARED:.0f}s"
body_time = "{_DECLARED:.0f}s"
body_rate = "1GiB"

[routes]
"POST /echo" = {{ public = true, content = ["text/plain"] }}
"""
_HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
_KINDS = {
    "a silent connection": (b"", b""),
    "a head that drips": (_HEAD, b"X: y\r\n"),
    "a body that drips": (_HEAD + b"Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\n", b"a"),
}
_DRIP = 0.05
"""Seconds between two drips."""


async def _application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def _held(place: tuple[str, int], piece: bytes, drip: bytes) -> float:
    """Keep the server waiting; give the seconds until it has closed the connection."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(*place)
    begun = loop.time()
    writer.write(piece)
    said = asyncio.create_task(_to_the_end(reader))
    while not (await asyncio.wait([said], timeout=_DRIP))[0]:
        writer.write(drip)
    writer.close()
    return loop.time() - begun


async def _to_the_end(reader: asyncio.StreamReader) -> None:
    try:
        await reader.read()
    except ConnectionError:
        return


async def _measure() -> list[float]:
    runtime = compose(load(_POLICY, "development"))
    try:
        config = uvicorn.Config(Garrison(_application, runtime=runtime), interface="asgi3", log_config=None)
        config.load()
        state, kind = ServerState(), wire(runtime)
        server = await asyncio.get_running_loop().create_server(lambda: kind(config, state, {}), "127.0.0.1", 0)
        async with server:
            place = server.sockets[0].getsockname()
            return await asyncio.gather(*(_held(place, *kind) for kind in _KINDS.values()))
    finally:
        runtime.close()


def figures() -> list[Figure]:
    """Measure all three at once."""
    seconds = asyncio.run(_measure())
    return [
        figure(f"{kind}: seconds until closed, to those declared", held, _DECLARED, bar=1.1)
        for kind, held in zip(_KINDS, seconds, strict=True)
    ]
