"""Call a wrapped application over either interface, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from garrison.cors import CorsMiddleware, CorsWSGI

Pair = tuple[str, str]


class Got(NamedTuple):
    """What came back, and whether the fault was raised on."""

    status: int
    headers: list[Pair]
    body: bytes
    fault: Exception | None = None

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name]


class App:
    """Answers with what it is given, or fails where it is told to; counts its calls."""

    def __init__(self, headers: Sequence[Pair] = (), *, fail: str = "", lazy: bool = False) -> None:
        self.headers = list(headers)
        self.fail = fail
        self.lazy = lazy
        self.calls = 0
        self.closed = 0

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        if self.fail == "before":
            raise ValueError(self.fail)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        lines = [(name.encode(), value.encode()) for name, value in self.headers]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        if self.fail == "after":
            raise ValueError(self.fail)
        await send({"type": "http.response.body", "body": b"text"})

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        if self.lazy:
            return Chunks(self, self.parts(start_response))
        return list(self.parts(start_response))

    def parts(self, start_response: Any) -> Iterator[bytes]:
        if self.fail == "before":
            raise ValueError(self.fail)
        start_response("200 OK", list(self.headers))
        if self.fail == "after":
            raise ValueError(self.fail)
        yield b"text"


class Chunks:
    """A body that wants to be closed (PEP 3333)."""

    def __init__(self, app: App, parts: Iterator[bytes]) -> None:
        self.app = app
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self.parts

    def close(self) -> None:
        self.app.closed += 1


Call = Callable[..., Got]


def asgi(app: App, *arguments: Any, **options: Any) -> Call:
    guarded = CorsMiddleware(app.asgi, *arguments, **options)

    def call(method: str = "GET", headers: Sequence[Pair] = (), scheme: str = "https") -> Got:
        sent: list[Any] = []
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        fault = _run(guarded, {"type": "http", "method": method, "path": "/", "scheme": scheme, "headers": lines}, sent)
        head = next(message for message in sent if message["type"] == "http.response.start")
        pairs = [(name.decode(), value.decode("latin-1")) for name, value in head["headers"]]
        return Got(head["status"], pairs, b"".join(message.get("body", b"") for message in sent), fault)

    return call


def wsgi(app: App, *arguments: Any, **options: Any) -> Call:
    guarded = CorsWSGI(app.wsgi, *arguments, **options)

    def call(method: str = "GET", headers: Sequence[Pair] = (), scheme: str = "https") -> Got:
        environ = {"REQUEST_METHOD": method, "PATH_INFO": "/", "wsgi.url_scheme": scheme}
        for name, value in headers:
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        heads: list[tuple[str, list[Pair]]] = []
        body, fault = b"", None
        chunks: Any = ()
        try:
            chunks = guarded(environ, lambda status, lines, exc_info=None: heads.append((status, lines)))
            for chunk in chunks:
                body += chunk
        except ValueError as raised:
            fault = raised
        finally:
            getattr(chunks, "close", int)()
        status, pairs = heads[0]
        return Got(int(status[:3]), pairs, body, fault)

    return call


def handshake(app: App, headers: Sequence[Pair], *arguments: Any, **options: Any) -> list[str]:
    """Open a WebSocket; give the types of the messages sent."""
    guarded, sent = CorsMiddleware(app.asgi, *arguments, **options), list[Any]()
    lines = [(name.lower().encode(), value.encode()) for name, value in headers]
    _run(guarded, {"type": "websocket", "path": "/", "scheme": "wss", "headers": lines}, sent)
    return [message["type"] for message in sent]


def _run(guarded: CorsMiddleware, scope: dict[str, Any], sent: list[Any]) -> Exception | None:
    async def receive() -> Any:
        return {"type": "websocket.connect" if scope["type"] == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        asyncio.run(guarded(scope, receive, send))
    except ValueError as raised:
        return raised
    return None
