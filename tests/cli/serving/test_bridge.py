"""A WSGI application under ASGI: what it reads comes as it is sent, what it writes goes out as it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import pytest

from garrison.adapters.refused import RefusedError
from garrison.cli.serving import bridge
from garrison.cli.serving.bridge import WsgiBridge, environ

Message = MutableMapping[str, Any]
BODY = [
    {"type": "http.request", "body": b"one ", "more_body": True},
    {"type": "http.request", "body": b"", "more_body": True},
    {"type": "http.request", "body": b"two", "more_body": False},
]


def _scope(**changed: Any) -> Message:
    return {
        "type": "http",
        "method": "POST",
        "path": "/ä/x",
        "raw_path": b"/%C3%A4/x",
        "query_string": b"a=1",
        "http_version": "1.1",
        "scheme": "https",
        "headers": [(b"host", b"example.com"), (b"content-type", b"text/plain"), (b"content-length", b"7")],
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 4000),
        **changed,
    }


def _serve(
    runner: asyncio.Runner, app: Any, messages: Iterable[dict[str, Any]] = (), scope: Message | None = None
) -> list[Message]:
    sent: list[Message] = []
    waiting = iter(messages)

    async def receive() -> Message:
        found = next(waiting, None)
        if found is None:
            await asyncio.Event().wait()
        return found or {}

    async def send(message: Message) -> None:
        sent.append(message)

    served = WsgiBridge(app, start=lambda: None, close=lambda: None)
    runner.run(served(scope or _scope(), receive, send))
    return sent


def _body(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def test_a_whole_exchange(runner: asyncio.Runner) -> None:
    def app(environ: Any, start: Any) -> list[bytes]:
        start("201 Created", [("Content-Type", "text/plain"), ("X-Two", "ä")])
        return [environ["wsgi.input"].read(), b"", b"!"]

    sent = _serve(runner, app, BODY)

    assert sent[0] == {
        "type": "http.response.start",
        "status": 201,
        "headers": [(b"content-type", b"text/plain"), (b"x-two", "ä".encode("latin-1"))],
    }
    assert _body(sent) == b"one two!"
    assert [message.get("more_body") for message in sent[1:]] == [True, True, False]


def test_the_body_is_read_piece_by_piece(runner: asyncio.Runner) -> None:
    """An application that stops after the first bytes never waits for the others."""

    def app(environ: Any, start: Any) -> list[bytes]:
        start("413 Content Too Large", [])
        return [environ["wsgi.input"].read(2)]

    assert _body(_serve(runner, app, BODY[:1])) == b"on"


def test_a_caller_that_goes_away_ends_the_body(runner: asyncio.Runner) -> None:
    def app(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return [environ["wsgi.input"].read()]

    assert _body(_serve(runner, app, [BODY[0], {"type": "http.disconnect"}])) == b"one "


def test_a_body_that_falls_silent_is_given_up(runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for ever is a thread less; forty of them, and nothing is served."""
    monkeypatch.setattr(bridge, "SILENT", 0.001)
    refusals = []

    def app(environ: Any, start: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except RefusedError as error:
            refusals.append(error.refusal.code)
        start("408 Request Timeout", [])
        return []

    sent = _serve(runner, app, BODY[:1])

    assert refusals == ["body_too_slow"]
    assert sent[0]["status"] == 408


def test_what_the_application_made_is_closed_even_when_it_fails(runner: asyncio.Runner) -> None:
    closed = []

    class Pieces:
        def __iter__(self) -> Any:
            yield b"first"
            raise ValueError("broken")

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start: Any) -> Pieces:
        start("200 OK", [])
        return Pieces()

    with pytest.raises(ValueError, match="broken"):
        _serve(runner, app)
    assert closed == [True]


def test_write_is_taken_too(runner: asyncio.Runner) -> None:
    """PEP 3333 keeps it for old applications."""

    def app(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])(b"written ")
        return [b"given"]

    assert _body(_serve(runner, app)) == b"written given"


def test_an_answer_that_has_not_begun_can_be_replaced_and_one_that_has_is_broken_off(runner: asyncio.Runner) -> None:
    fault = (ValueError, ValueError("late"), None)

    def before(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        start("500 Internal Server Error", [], fault)
        return []

    def after(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])(b"begun")
        start("500 Internal Server Error", [], fault)
        return []

    assert _serve(runner, before)[0]["status"] == 500
    with pytest.raises(ValueError, match="late"):
        _serve(runner, after)


def test_a_websocket_is_refused(runner: asyncio.Runner) -> None:
    assert _serve(runner, None, scope={"type": "websocket"}) == [{"type": "websocket.close", "code": 1000}]


def test_it_starts_before_and_closes_after(runner: asyncio.Runner) -> None:
    told: list[str] = []

    async def exchange() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> Message:
            return next(messages)

        async def send(message: Message) -> None:
            told.append(message["type"])

        served = WsgiBridge(None, start=lambda: told.append("start"), close=lambda: told.append("close"))
        await served({"type": "lifespan"}, receive, send)

    runner.run(exchange())

    assert told == ["start", "lifespan.startup.complete", "close", "lifespan.shutdown.complete"]


def test_requests_run_beside_each_other(runner: asyncio.Runner) -> None:
    """One that waits for another must not keep it from being served."""
    import threading

    meeting = threading.Barrier(2, timeout=30)

    def app(environ: Any, start: Any) -> list[bytes]:
        meeting.wait()
        start("200 OK", [])
        return [b"met"]

    async def both() -> list[list[Message]]:
        served = WsgiBridge(app, start=lambda: None, close=lambda: None)
        sent: list[list[Message]] = [[], []]

        def taker(into: list[Message]) -> Callable[[Message], Awaitable[None]]:
            async def send(message: Message) -> None:
                into.append(message)

            return send

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        await asyncio.gather(*(served(_scope(), receive, taker(into)) for into in sent))
        return sent

    assert [_body(sent) for sent in runner.run(both())] == [b"met", b"met"]


def test_a_request_as_an_environment() -> None:
    found = environ(_scope(), None)  # type: ignore[arg-type]  # nothing is read

    assert found["PATH_INFO"].encode("latin-1").decode() == "/ä/x"
    assert found["RAW_URI"] == "/%C3%A4/x?a=1"
    assert (found["CONTENT_TYPE"], found["CONTENT_LENGTH"], found["HTTP_HOST"]) == ("text/plain", "7", "example.com")
    assert (found["REMOTE_ADDR"], found["SERVER_PORT"], found["wsgi.url_scheme"]) == ("192.0.2.1", "8000", "https")
    assert "HTTP_CONTENT_TYPE" not in found


def test_a_socket_without_addresses() -> None:
    found = environ(_scope(client=None, server=None, query_string=b""), None)  # type: ignore[arg-type]  # nothing is read here either

    assert (found["REMOTE_ADDR"], found["RAW_URI"]) == ("", "/%C3%A4/x")


@pytest.mark.parametrize(
    ("name", "key", "joined"), [(b"cookie", "HTTP_COOKIE", "a=1; b=2"), (b"accept", "HTTP_ACCEPT", "a=1, b=2")]
)
def test_repeated_fields_are_continued(name: bytes, key: str, joined: str) -> None:
    found = environ(_scope(headers=[(name, b"a=1"), (name, b"b=2")]), None)  # type: ignore[arg-type]  # nothing is read here either

    assert found[key] == joined
