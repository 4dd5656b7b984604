"""An application that knows no lifespan gets one; one that does keeps its own, its failures included."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from garrison.adapters.asgi.lifespan import live

Message = MutableMapping[str, Any]


def _live(runner: asyncio.Runner, app: Any) -> list[str]:
    sent: list[str] = []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    runner.run(live(app, {"type": "lifespan"}, receive, send))
    return sent


async def refuses(scope: Message, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"


async def refuses_after_reading(scope: Message, receive: Any, send: Any) -> None:
    await receive()
    raise KeyError("method")


async def lives(scope: Message, receive: Any, send: Any) -> None:
    for _ in range(2):
        await send({"type": (await receive())["type"] + ".complete"})


@pytest.mark.parametrize("app", [refuses, refuses_after_reading, lives])
def test_it_starts_and_ends_once(runner: asyncio.Runner, app: Any) -> None:
    assert _live(runner, app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_start_that_fails_is_not_called_a_success(runner: asyncio.Runner) -> None:
    async def fails(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed"})
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        _live(runner, fails)
