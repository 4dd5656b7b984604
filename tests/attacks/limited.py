"""A small application with a limit, and a client from any address: what the attacks on limits attack."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from garrison import limit
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock


class Limited:
    """`GET /things/{id}` behind the given limits."""

    def __init__(self, *notations: str, capacity: int = 524_288, **facts: Any) -> None:
        self.clock = ManualClock()
        self.counters = MemoryCounters(self.clock, capacity)

        @limit(*notations, counters=self.counters, **facts)
        async def things(request: Request) -> Response:
            return PlainTextResponse("ok")

        self.app = Starlette(routes=[Route("/things/{id}", things)])

    def passes(self, address: str = "203.0.113.7", path: str = "/things/1", **headers: str) -> bool:
        """Ask once; header names are written with underscores."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = TestClient(self.app, client=(address, 50_000)).get(path, headers=lines)
        assert answer.status_code in {200, 429}
        return answer.status_code == 200
