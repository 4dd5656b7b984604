"""Where the guard can stand: one small application in each framework, called without a network.

Every journey runs over all of them, so that no adapter decides differently from another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Annotated, Any, NamedTuple, Protocol
from urllib.parse import unquote, urlencode

from fastapi import Security
from starlette.requests import Request

from garrison.fastapi import principal
from garrison.model.principal import Principal
from garrison.runtime.compose import Runtime

Me = Annotated[Principal, Security(principal)]

__all__ = ["PLACES", "Answer", "AsgiPlace", "Place", "WsgiPlace", "configure_django"]

NOTES = {"1": "user:ada", "2": "user:bob"}
"""Whose each note is."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Give a field; its lines joined by commas."""
        lines = [value for field, value in self.headers if field.lower() == name]
        return ", ".join(lines) if lines else None

    @property
    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Give the stable code of a refusal."""
        assert self.header("content-type") == "application/problem+json"
        return str(self.json["code"])


class Place(Protocol):
    """A guarded application."""

    def call(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        peer: str = "192.0.2.1",
        **query: str,
    ) -> Answer:
        """Send one request."""
        ...


def _whole(headers: Iterable[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
    lines = [(name.lower(), value) for name, value in headers]
    names = [name for name, _ in lines]
    if "host" not in names:
        lines.insert(0, ("host", "api.example.com"))
    if body and "content-length" not in names and "transfer-encoding" not in names:
        lines.append(("content-length", str(len(body))))
    return lines


class AsgiPlace:
    """Any ASGI application."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        self.app = app
        self._runner = runner

    def call(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        peer: str = "192.0.2.1",
        **query: str,
    ) -> Answer:
        return self._runner.run(self.send(method, path, headers, body, peer, urlencode(query)))

    async def send(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, peer: str, query: str
    ) -> Answer:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in _whole(headers, body)],
            "client": (peer, 50000) if peer else None,
            "server": ("127.0.0.1", 443),
            "state": {},
        }
        sent: list[dict[str, Any]] = []
        given = False

        async def receive() -> dict[str, Any]:
            nonlocal given
            if given:
                await asyncio.Event().wait()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            # Servers answer nothing more once an answer has begun; the fault itself is for the log.
            if not sent:
                raise
        start = sent[0]
        assert [message["type"] for message in sent].count("http.response.start") == 1
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], lines, b"".join(message.get("body", b"") for message in sent[1:]))


class WsgiPlace:
    """Any WSGI application."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def call(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        peer: str = "192.0.2.1",
        **query: str,
    ) -> Answer:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "RAW_URI": path,
            "QUERY_STRING": urlencode(query),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": peer,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in _whole(headers, body):
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc: Any = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda piece: None

        pieces = self.app(environ, start_response)
        try:
            content = b"".join(pieces)
        finally:
            getattr(pieces, "close", lambda: None)()
        status, lines = started[-1]
        return Answer(int(status[:3]), lines, content)


def _note(number: str, me: Principal) -> tuple[int, dict[str, Any]]:
    owner = NOTES.get(number)
    if owner is None:
        return 404, {"nothing": "here"}
    me.must_own(owner)
    return 200, {"id": number, "owner": owner}


def _facts(me: Principal) -> dict[str, Any]:
    return {"id": me.id, "scopes": sorted(me.scopes), "credential": me.credential}


def _asgi(runtime: Runtime, runner: asyncio.Runner) -> Place:
    from garrison import Garrison

    async def app(scope: Any, receive: Any, send: Any) -> None:
        me, path = scope["user"], scope["path"]
        status, value = 200, _facts(me)
        if path == "/boom":
            msg = "a secret detail"
            raise RuntimeError(msg)
        if path.startswith("/notes/"):
            status, value = _note(path.removeprefix("/notes/"), me)
        if path == "/echo":
            value = {"received": (await receive())["body"].decode()}
        headers = [(b"content-type", b"application/json"), (b"server", b"telling/1.0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(value).encode()})

    return AsgiPlace(Garrison(app, runtime=runtime), runner)


def _wsgi(runtime: Runtime, runner: asyncio.Runner) -> Place:
    from garrison import GarrisonWSGI

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        me, path = environ["garrison.principal"], environ["PATH_INFO"]
        status, value = 200, _facts(me)
        if path == "/boom":
            msg = "a secret detail"
            raise RuntimeError(msg)
        if path.startswith("/notes/"):
            status, value = _note(path.removeprefix("/notes/"), me)
        if path == "/echo":
            value = {"received": environ["wsgi.input"].read().decode()}
        start_response(f"{status} X", [("Content-Type", "application/json"), ("Server", "telling/1.0")])
        return [json.dumps(value).encode()]

    return WsgiPlace(GarrisonWSGI(app, runtime=runtime))


def _fastapi(runtime: Runtime, runner: asyncio.Runner) -> Place:
    from fastapi import FastAPI, HTTPException

    from garrison.fastapi import Garrison

    app = FastAPI()
    app.add_middleware(Garrison, runtime=runtime)

    @app.get("/boom")
    async def boom() -> None:
        msg = "a secret detail"
        raise RuntimeError(msg)

    @app.get("/notes/{number}")
    async def note(number: str, me: Me) -> Any:
        status, value = _note(number, me)
        if status == 404:
            raise HTTPException(404)
        return value

    @app.post("/echo")
    async def echo(request: Request) -> Any:
        return {"received": (await request.body()).decode()}

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def anything(me: Me) -> Any:
        return _facts(me)

    return AsgiPlace(app, runner)


def _starlette(runtime: Runtime, runner: asyncio.Runner) -> Place:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from garrison.starlette import Garrison

    async def boom(request: Request) -> JSONResponse:
        msg = "a secret detail"
        raise RuntimeError(msg)

    async def note(request: Request) -> JSONResponse:
        status, value = _note(request.path_params["number"], request.user)
        if status == 404:
            raise HTTPException(404)
        return JSONResponse(value)

    async def echo(request: Request) -> JSONResponse:
        return JSONResponse({"received": (await request.body()).decode()})

    async def anything(request: Request) -> JSONResponse:
        return JSONResponse(_facts(request.user))

    app = Starlette(
        routes=[
            Route("/boom", boom),
            Route("/notes/{number}", note),
            Route("/echo", echo, methods=["POST"]),
            Route("/{path:path}", anything, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )
    return AsgiPlace(Garrison(app, runtime=runtime), runner)


def _flask(runtime: Runtime, runner: asyncio.Runner) -> Place:
    from flask import Flask, abort, request

    from garrison.flask import Garrison, principal

    app = Flask("journeys")
    Garrison(app, runtime=runtime)

    @app.get("/boom")
    def boom() -> str:
        msg = "a secret detail"
        raise RuntimeError(msg)

    @app.get("/notes/<number>")
    def note(number: str) -> Any:
        status, value = _note(number, principal())
        return value if status == 200 else abort(404)

    @app.post("/echo")
    def echo() -> Any:
        return {"received": request.get_data().decode()}

    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
    def anything(path: str) -> Any:
        return _facts(principal())

    return WsgiPlace(app)


def _django(runtime: Runtime, runner: asyncio.Runner) -> Place:
    """One configuration a process: what differs from test to test is put over it while the application is made."""
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings

    configure_django()
    with override_settings(GARRISON_RUNTIME=runtime):
        return WsgiPlace(get_wsgi_application())


def configure_django() -> None:
    """Give Django the one configuration that this process has."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(ROOT_URLCONF=_django_urls(), MIDDLEWARE=["garrison.django.Garrison"], LOGGING_CONFIG=None)


def _django_urls() -> tuple[Any, ...]:
    from django.http import Http404, HttpRequest, JsonResponse
    from django.urls import path

    from garrison.django import principal

    def boom(request: HttpRequest) -> JsonResponse:
        msg = "a secret detail"
        raise RuntimeError(msg)

    def note(request: HttpRequest, number: str) -> JsonResponse:
        status, value = _note(number, principal(request))
        if status == 404:
            raise Http404
        return JsonResponse(value)

    def echo(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"received": request.body.decode()})

    def anything(request: HttpRequest, rest: str) -> JsonResponse:
        return JsonResponse(_facts(principal(request)), headers={"Server": "telling/1.0"})

    return (
        path("boom", boom),
        path("notes/<number>", note),
        path("echo", echo),
        path("<path:rest>", anything),
    )


PLACES: dict[str, Callable[[Runtime, asyncio.Runner], Place]] = {
    "asgi": _asgi,
    "wsgi": _wsgi,
    "fastapi": _fastapi,
    "starlette": _starlette,
    "flask": _flask,
    "django": _django,
}
"""Every adapter by name."""
