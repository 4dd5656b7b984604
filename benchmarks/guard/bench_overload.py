"""How much is answered in time when three times as much is asked as can be served? Rivals: capacity, and no control.

The real guard on a real loop in real time; a handler holds the loop for some milliseconds, as work on a processor does,
and the callers come at their own pace whether they are answered or not. An answer counts when it is a success within a
second of the instant at which its caller meant to come. Not measured: sockets, and work that waits for somebody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from benchmarks.figure import Figure, figure
from garrison.adapters.asgi.middleware import Garrison
from garrison.policy.load import load
from garrison.runtime.compose import compose

__all__ = ["figures"]

_WORK = 0.01
"""Seconds for which one request holds the loop."""

_DEADLINE = 1.0
_LONG = 6.0
_FROM = 3.0
"""Seconds of overload, and from when on answers count: until then what has queued up without control is in time."""

_POLICY = '[routes]\n"GET /work" = { public = true }\n'


def _scope(number: int) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/work",
        "raw_path": b"/work",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": (f"192.0.2.{number % 250}", 50_000),
    }


async def _work(scope: Any, receive: Any, send: Any) -> None:
    _hold()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _hold() -> None:
    time.sleep(_WORK)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Callers:
    """Come at a rate, and count what they are answered in time."""

    def __init__(self, app: Callable[..., Any], rate: float) -> None:
        self._app = app
        self._gap = 1 / rate
        self.good = 0

    async def come(self) -> float:
        """Give the answers in time per second, once all has settled."""
        loop = asyncio.get_running_loop()
        begun, number = loop.time(), 0
        tasks: set[asyncio.Task[None]] = set()
        while (now := loop.time() - begun) < _LONG:
            while number * self._gap <= now:
                tasks.add(loop.create_task(self._ask(number, begun)))
                number += 1
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.good / (_LONG - _FROM)

    async def _ask(self, number: int, begun: float) -> None:
        meant = number * self._gap
        status: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            status.append(message.get("status", 0))

        await self._app(_scope(number), _receive, send)
        done = asyncio.get_running_loop().time() - begun
        self.good += done >= _FROM and done - meant <= _DEADLINE and status[0] == 200


async def _one_by_one(app: Callable[..., Any]) -> float:
    """Give the answers per second to a caller who asks again as soon as he is answered."""
    loop = asyncio.get_running_loop()
    begun, number = loop.time(), 0
    while loop.time() - begun < _LONG - _FROM:
        await loop.create_task(app(_scope(number), _receive, _nowhere))
        number += 1
    return number / (loop.time() - begun)


async def _nowhere(message: dict[str, Any]) -> None:
    pass


def _goodput(app: Callable[..., Any], rate: float) -> float:
    return asyncio.run(_Callers(app, rate).come())


def figures() -> list[Figure]:
    """Measure the capacity, then three times as much with and without the guard."""
    runtime = compose(load(_POLICY, "development"))
    try:
        capacity = asyncio.run(_one_by_one(Garrison(_work, runtime=runtime)))
        ours = _goodput(Garrison(_work, runtime=runtime), 3 / _WORK)
        bare = _goodput(_work, 3 / _WORK)
    finally:
        runtime.close()
    return [
        figure("answers in time per second at 3x overload, to capacity", ours, capacity, bar=0.95, least=True),
        figure(
            "answers in time per second at 3x overload, to those without control",
            ours,
            max(bare, 1 / (_LONG - _FROM)),
            bar=10,
            least=True,
        ),
    ]
