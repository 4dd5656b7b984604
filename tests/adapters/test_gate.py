"""Who is let in to an application that cannot serve everybody, who waits, and who is turned away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from garrison import Garrison
from garrison.adapters.asgi.gate import QUEUE, Lane
from garrison.limits.headers import REDUCED_CAPACITY
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of

POLICY = """
service = "notes"

[overload]
in_flight = 8

[routes]
"GET /open" = { public = true }
"GET /known" = { scopes = [] }
"GET /bulk" = { public = true, priority = "bulk" }
"GET /health" = { public = true, priority = "critical" }
"POST /login" = { public = true, priority = "login" }
"GET /stream" = { public = true }
"""


class Busy:
    """A guarded application that answers once it is let go, and what it and its callers saw."""

    def __init__(self, runtime: Runtime) -> None:
        self.guarded = Garrison(self._app, runtime=runtime)
        self.let_go = asyncio.Event()
        self.inside: list[str] = []

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside.append(scope["path"])
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await self.let_go.wait()
            await send({"type": "http.response.body", "body": b""})
            return
        await self.let_go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, path: str, *fields: tuple[str, str], address: str = "192.0.2.1") -> tuple[int, Any, Any]:
        """Ask, and give status, header fields and body."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in fields)]
        method = "POST" if path == "/login" else "GET"
        where = {"path": path, "raw_path": path.encode(), "query_string": b"", "client": (address, 1)}
        what = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http", "headers": headers}
        await self.guarded({**what, **where}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    async def settle(self) -> None:
        """Let everybody come as far as he comes."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """The policy at work."""
    with at_work(POLICY) as runtime:
        yield runtime


def played(runtime: Runtime, runner: asyncio.Runner, play: Callable[[Busy], Awaitable[None]]) -> None:
    """Play a scene in a loop."""

    async def scene() -> None:
        await play(Busy(runtime))

    runner.run(asyncio.wait_for(scene(), 60))


def test_strangers_leave_room_for_who_is_known(runtime: Runtime, runner: asyncio.Runner) -> None:
    key = key_of(runtime, "ada")

    async def play(busy: Busy) -> None:
        strangers = [asyncio.create_task(busy.ask("/open")) for _ in range(20)]
        await busy.settle()
        assert busy.inside == ["/open"] * 6
        known = [asyncio.create_task(busy.ask("/known", key)) for _ in range(3)]
        await busy.settle()
        assert busy.inside == ["/open"] * 6 + ["/known"] * 2
        busy.let_go.set()
        assert {status for status, _, _ in await asyncio.gather(*strangers, *known)} == {200}

    played(runtime, runner, play)


def test_bulk_fills_less_and_waits_longest(runtime: Runtime, runner: asyncio.Runner) -> None:
    async def play(busy: Busy) -> None:
        bulk = [asyncio.create_task(busy.ask("/bulk")) for _ in range(9)]
        await busy.settle()
        assert busy.inside == ["/bulk"] * 3
        others = [asyncio.create_task(busy.ask(path)) for path in ("/open", "/health")]
        await busy.settle()
        assert busy.inside[3:] == ["/open", "/health"]
        busy.let_go.set()
        await asyncio.gather(*bulk, *others)

    played(runtime, runner, play)


def test_who_finds_no_room_is_told_when_to_come_again(runtime: Runtime, runner: asyncio.Runner) -> None:
    async def play(busy: Busy) -> None:
        tasks = [asyncio.create_task(busy.ask("/open", address=f"192.0.2.{n}")) for n in range(6 + QUEUE + 5)]
        await busy.settle()
        refused = [task.result() for task in tasks if task.done()]
        assert len(refused) == 5
        for status, fields, body in refused:
            assert (status, json.loads(body)["code"]) == (503, "overloaded")
            assert json.loads(body)["type"] == REDUCED_CAPACITY
            assert int(fields[b"retry-after"]) in {1, 2, 3}
            assert fields[b"cache-control"] == b"no-store"
        busy.let_go.set()
        statuses = [status for status, _, _ in await asyncio.gather(*tasks)]
        assert statuses.count(200) == 6 + QUEUE

    played(runtime, runner, play)


def test_who_waits_too_long_is_turned_away(runtime: Runtime, runner: asyncio.Runner) -> None:
    """Its answer would come too late, and somebody else's with it."""

    async def play(busy: Busy) -> None:
        tasks = [asyncio.create_task(busy.ask("/open")) for _ in range(7)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()[0] for task in done] == [503]
        busy.let_go.set()
        await asyncio.gather(*tasks)

    played(runtime, runner, play)


def test_a_caller_that_leaves_takes_no_room_along(runtime: Runtime, runner: asyncio.Runner) -> None:
    """Cancelled inside, in the queue, or between the two."""

    async def play(busy: Busy) -> None:
        for _ in range(3):
            tasks = [asyncio.create_task(busy.ask("/open")) for _ in range(12)]
            await busy.settle()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        busy.let_go.set()
        assert [(await busy.ask("/open"))[0] for _ in range(9)] == [200] * 9

    played(runtime, runner, play)


def test_a_stream_that_has_begun_takes_no_room(runtime: Runtime, runner: asyncio.Runner) -> None:
    """It may go on for hours and costs nothing meanwhile."""

    async def play(busy: Busy) -> None:
        tasks = [asyncio.create_task(busy.ask("/stream")) for _ in range(30)]
        await busy.settle()
        assert busy.inside == ["/stream"] * 30
        busy.let_go.set()
        await asyncio.gather(*tasks)

    played(runtime, runner, play)


def test_no_room_at_all_is_never_the_answer() -> None:
    """However little may be inside, somebody is let in, or nothing would ever be measured again."""
    lane = Lane(1)

    assert all(lane.takes(rank) for rank in range(5))
    lane.enter()
    assert not any(lane.takes(rank) for rank in range(5))
