"""An accepted WebSocket that floods: no limit of a route counts what is said on a connection that is open already."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from garrison.adapters.asgi.middleware import Garrison
from garrison.guard.drive import drive
from garrison.stores.protocols import Query
from tests.adapters.socket_client import connect
from tests.adapters.world import at_work

POLICY = """
hosts = ["api.example.com"]
[caps]
message = "1KiB"
messages = "1/h burst 5"
[routes]
"WS /live" = { public = true }
"""


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Say everything again, until the caller leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@pytest.mark.parametrize(
    ("say", "heard", "code", "reason"),
    [
        (["x"] * 5, 5, None, None),
        (["x"] * 9, 5, 1008, "messages"),
        (["x" * 1024] * 2, 2, None, None),
        (["x", "x" * 1025, "x"], 1, 1009, "message"),
    ],
)
def test_the_connection_ends_with_the_message_that_is_too_much(
    runner: asyncio.Runner, say: list[str], heard: int, code: int | None, reason: str | None
) -> None:
    """For the application it is as if the caller had left; the journal says why."""
    with at_work(POLICY) as runtime:
        sent = runner.run(connect(Garrison(echo, runtime=runtime), "/live", say=say))
        runtime.flush(last=True)
        events = [sealed.event for sealed in drive(runtime.driven_side.face.read(Query()))]

    assert [message["text"] for message in sent if message["type"] == "websocket.send"] == say[:heard]
    assert [message["code"] for message in sent if message["type"] == "websocket.close"] == ([code] if code else [])
    assert [event.reason for event in events] == ([reason] if reason else [])
