"""WebSocket handshakes and what becomes of open connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from garrison import Garrison
from garrison.adapters.asgi import connections
from garrison.runtime.compose import Runtime
from tests.adapters.socket_client import connect
from tests.adapters.world import at_work, key_of, revoke

POLICY = """
service = "chat"
hosts = ["api.example.com"]

[cors.web]
origins = ["https://app.example.com"]

[routes]
"WS /room" = { scopes = ["chat"], cors = "web" }
"WS /lobby" = { public = true, cors = "web" }
"GET /events" = { scopes = ["chat"] }
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """The policy at work."""
    with at_work(POLICY) as runtime:
        yield runtime


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Accept, and say back whatever is said."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": f"{scope['user'].id}: {message['text']}"})


def test_a_key_opens_a_socket_and_the_application_is_told_who_it_is(runtime: Runtime, runner: asyncio.Runner) -> None:
    key = key_of(runtime, "ada", "chat")

    sent = runner.run(connect(Garrison(echo, runtime=runtime), "/room", [key], ["hello"]))

    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send"]
    assert sent[1]["text"] == "user:ada: hello"
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([("x-api-key", "x")], 401),
        ([("host", "evil.example")], 421),
    ],
)
def test_a_refused_handshake_never_reaches_the_application(
    runtime: Runtime, runner: asyncio.Runner, headers: list[tuple[str, str]], status: int
) -> None:
    guarded = Garrison(echo, runtime=runtime)

    answered = runner.run(connect(guarded, "/room", headers))
    closed = runner.run(connect(guarded, "/room", headers, can_answer=False))

    assert answered[0]["type"] == "websocket.http.response.start"
    assert answered[0]["status"] == status
    assert [message["type"] for message in closed] == ["websocket.close"]


def test_a_path_without_a_socket_is_refused(runtime: Runtime, runner: asyncio.Runner) -> None:
    key = key_of(runtime, "ada", "chat")

    sent = runner.run(connect(Garrison(echo, runtime=runtime), "/events", [key]))

    assert sent[0]["status"] in (404, 405)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.com.evil.example"])
def test_a_page_of_another_site_opens_no_socket(runtime: Runtime, runner: asyncio.Runner, origin: str) -> None:
    """Cross-site WebSocket hijacking: browsers send a handshake anywhere, without a preflight."""
    sent = runner.run(connect(Garrison(echo, runtime=runtime), "/lobby", [("origin", origin)]))

    assert sent[0]["status"] == 403


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://api.example.com"])
def test_a_listed_page_and_our_own_may(runtime: Runtime, runner: asyncio.Runner, origin: str) -> None:
    sent = runner.run(connect(Garrison(echo, runtime=runtime), "/lobby", [("origin", origin)], ["x"]))

    assert sent[0]["type"] == "websocket.accept"


def test_an_open_socket_is_closed_once_its_key_is_revoked(
    runtime: Runtime, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revoked key must not go on reading for as long as it keeps its connection."""
    monkeypatch.setattr(connections, "SWEEP", 0.01)
    key = key_of(runtime, "ada", "chat")
    stay = asyncio.Event()

    async def play() -> list[dict[str, Any]]:
        task = asyncio.ensure_future(connect(Garrison(echo, runtime=runtime), "/room", [key], ["x"], stay=stay))
        await asyncio.wait({task}, timeout=0.1)
        assert not task.done()
        revoke(runtime, key)
        return await asyncio.wait_for(task, 10)

    sent = runner.run(play())

    assert sent[-1] == {"type": "websocket.close", "code": 1008, "reason": ""}


def test_a_stream_is_cut_once_its_key_is_revoked(
    runtime: Runtime, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SWEEP", 0.01)
    key = key_of(runtime, "ada", "chat")

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await asyncio.Event().wait()

    async def play() -> None:
        sent: list[Any] = []
        headers = [(b"host", b"api.example.com"), (key[0].encode(), key[1].encode())]
        scope = {"type": "http", "method": "GET", "path": "/events", "headers": headers, "client": ("192.0.2.1", 1)}

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return await asyncio.Event().wait()

        task = asyncio.ensure_future(Garrison(stream, runtime=runtime)(scope, receive, send))
        await asyncio.wait({task}, timeout=0.1)
        assert not task.done()
        assert len(sent) == 2
        revoke(runtime, key)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)

    runner.run(play())
