"""A WSGI application under an ASGI server: bodies are read as they come, and nothing waits on the loop.

The application runs in a thread of its own pool. What it reads comes from the connection piece by piece, so a
guard inside it can refuse a body after the first bytes; nothing is collected in front of it.

Sources: PEP 3333; ASGI HTTP specification 2.5.
"""

from __future__ import annotations

import asyncio
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from garrison.adapters.refused import RefusedError
from garrison.model.http.refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.adapters.asgi.body import Message, Receive, Scope, Send

__all__ = ["SILENT", "THREADS", "WsgiBridge", "environ"]

THREADS = 40
"""Requests that a WSGI application works on at once; further ones wait."""

SILENT = 10.0
"""Seconds without a byte of the body after which the caller is given up (408)."""


class WsgiBridge:
    """Serves a WSGI application over ASGI."""

    def __init__(self, app: Any, *, start: Callable[[], None], close: Callable[[], None]) -> None:
        """Wrap an application.

        Args:
            app: The WSGI application, guard included.
            start: Called before the first request.
            close: Called after the last one.
        """
        self._app = app
        self._start = start
        self._close = close
        self._threads = ThreadPoolExecutor(THREADS, "garrison-wsgi")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; WSGI knows no WebSockets, so a handshake is refused."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            loop = asyncio.get_running_loop()
            caller = _Caller(loop, receive, send)
            await loop.run_in_executor(self._threads, caller.serve, self._app, scope)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._threads.shutdown(cancel_futures=True)
        self._close()
        await send({"type": "lifespan.shutdown.complete"})


class _Caller:
    """One connection, seen from a thread: it asks the loop for what comes in, and waits for what goes out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._loop = loop
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._more = True

    def serve(self, app: Any, scope: Scope) -> None:
        """Run the application to the end of its answer."""
        body = app(environ(scope, io.BufferedReader(_Input(self))), self._start_response)
        try:
            for piece in body:
                if piece:
                    self._answer(piece, more=True)
            self._answer(b"", more=False)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def next_piece(self) -> bytes:
        """Wait for the next piece of the body; empty at its end, and when the caller went away.

        Raises:
            RefusedError: Nothing came for `SILENT` seconds.
        """
        while self._more:
            try:
                message = self._wait(asyncio.wait_for(self._receive(), SILENT))
            except TimeoutError:
                self._more = False
                raise RefusedError(refuse("body_too_slow", "silent")) from None
            self._more = bool(message.get("more_body", False))
            if message.get("body"):
                return bytes(message["body"])
        return b""

    def _start_response(
        self, status: str, headers: Iterable[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        if exc_info and self._start is None:
            # The answer has begun: all that is left is to break it off (PEP 3333, "Error Handling").
            raise exc_info[1].with_traceback(exc_info[2])
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": int(status[:3]), "headers": lines}
        return lambda piece: self._answer(piece, more=True)

    def _answer(self, piece: bytes, *, more: bool) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            self._wait(self._send(start))
        self._wait(self._send({"type": "http.response.body", "body": piece, "more_body": more}))

    def _wait(self, awaitable: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result()


class _Input(io.RawIOBase):
    """`wsgi.input`: what is left of the body, as it comes."""

    def __init__(self, caller: _Caller) -> None:
        super().__init__()
        self._caller = caller
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or self._caller.next_piece()
        taken = min(len(buffer), len(piece))
        buffer[:taken] = piece[:taken]
        self._rest = piece[taken:]
        return taken


def environ(scope: Scope, body: io.BufferedReader) -> dict[str, Any]:
    """Write a request as a WSGI environment.

    A field whose name has an underscore is left out: `X_Forwarded_For` would become the same variable as
    `X-Forwarded-For`, and whoever forges it would speak with a proxy's voice.
    """
    query = scope.get("query_string", b"").decode("latin-1")
    raw = scope.get("raw_path") or b""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", "")
    found: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogatepass").decode("latin-1"),
        "RAW_URI": raw.decode("latin-1") + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            _add(found, name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1"))
    return found


def _add(found: dict[str, Any], name: str, value: str) -> None:
    """Add a header field; one that came before is continued, as RFC 9110 section 5.3 and RFC 6265 say."""
    key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
    found[key] = f"{found[key]}{'; ' if name == 'COOKIE' else ', '}{value}" if key in found else value
