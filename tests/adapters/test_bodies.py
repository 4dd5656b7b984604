"""Bodies that are too large, too slow or too finely cut, over ASGI and WSGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from garrison import Garrison, GarrisonWSGI
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.journeys.places import WsgiPlace

POLICY = """
service = "files"
hosts = ["api.example.com"]

[caps]
body = "1KiB"
body_time = "100ms"
body_rate = "1MiB"

[routes]
"POST /plain" = { public = true, limit = "1000/s per address", content = ["*/*"] }
"POST /large" = { public = true, limit = "1000/s per address", content = ["text/plain"], max_body = "64KiB" }
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """The policy at work."""
    with at_work(POLICY) as runtime:
        yield runtime


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body and tell its length."""
    length = 0
    while True:
        message = await receive()
        length += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


async def _send(
    runtime: Runtime,
    path: str,
    pieces: list[bytes],
    headers: dict[str, str],
    *,
    end: bool = True,
    version: str = "1.1",
) -> Any:
    sent: list[dict[str, Any]] = []
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if end:
        coming.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    fields = {"host": "api.example.com", **({} if version > "1.1" else {"transfer-encoding": "chunked"}), **headers}
    scope = {
        "type": "http",
        "http_version": version,
        "method": "POST",
        "path": path,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
        "client": ("192.0.2.1", 1),
    }
    await Garrison(reading, runtime=runtime)(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json"])
@pytest.mark.parametrize(
    ("pieces", "headers", "status"),
    [
        ([b"1"] * 1024, {}, 200),
        ([b"1" * 1024], {}, 200),
        ([b"1" * 1025], {}, 413),
        ([b"1" * 512] * 3, {}, 413),
        ([], {"content-length": "1025"}, 413),
        ([], {"content-length": "-1"}, 400),
        ([], {"content-length": "1e3"}, 400),
        ([], {"content-length": "\u00b3"}, 400),
        ([b"1", *[b""] * 2_000], {}, 408),
    ],
)
def test_a_body_is_held_to_its_caps_whatever_it_claims(
    runtime: Runtime, runner: asyncio.Runner, kind: str, pieces: list[bytes], headers: dict[str, str], status: int
) -> None:
    found, _ = runner.run(_send(runtime, "/plain", pieces, {"content-type": kind, **headers}))

    # A number of a thousand digits is no JSON that anybody should read.
    assert found == (400 if kind == "application/json" and status == 200 else status)


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_body_that_never_ends_is_cut_off(runtime: Runtime, runner: asyncio.Runner, kind: str) -> None:
    """No server bounds a body that drips in; a handful of them would hold every worker for ever."""
    status, body = runner.run(_send(runtime, "/plain", [b"[1"], {"content-type": kind}, end=False))

    assert status == 408
    assert json.loads(body)["code"] == "body_too_slow"


def test_a_route_may_take_more(runtime: Runtime, runner: asyncio.Runner) -> None:
    assert runner.run(_send(runtime, "/large", [b"1" * 1024] * 64, {"content-type": "text/plain"})) == (200, b"65536")
    assert runner.run(_send(runtime, "/large", [b"1" * 1024] * 65, {"content-type": "text/plain"}))[0] == 413


@pytest.mark.parametrize("version", ["2", "2.0", "3"])
@pytest.mark.parametrize("kind", [{}, {"content-type": "application/json"}])
def test_a_body_that_nothing_announced_is_not_let_through(
    runtime: Runtime, runner: asyncio.Runner, version: str, kind: dict[str, str]
) -> None:
    """HTTP/2 needs no length: such a body would come by every check, since none saw that there is one."""
    status, body = runner.run(_send(runtime, "/plain", [b'{"a": 1, ', b'"a": 2}'], kind, version=version))

    assert (status, json.loads(body)["code"]) == (411, "length_required")
    assert runner.run(_send(runtime, "/plain", [], kind, version=version)) == (200, b"0")
    announced = {"content-type": "text/plain", "content-length": "2"}
    assert runner.run(_send(runtime, "/plain", [b"{}"], announced, version=version)) == (200, b"2")


def _wsgi(runtime: Runtime) -> WsgiPlace:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(body)).encode()]

    return WsgiPlace(GarrisonWSGI(app, runtime=runtime))


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
@pytest.mark.parametrize(("length", "status"), [(1024, 200), (1025, 413)])
def test_wsgi_holds_bodies_to_the_same_caps(runtime: Runtime, kind: str, length: int, status: int) -> None:
    body = b"1" * 20 + b" " * (length - 20)

    answer = _wsgi(runtime).call("POST", "/plain", [("content-type", kind)], body)

    assert answer.status == status


def test_wsgi_never_reads_past_the_declared_end(runtime: Runtime) -> None:
    """Request smuggling: what follows on the same connection is another request."""
    place = _wsgi(runtime)
    seen = BytesIO(b"12345GET /admin")

    def start_response(status: str, headers: Any, exc: Any = None) -> Any:
        return lambda piece: None

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/plain",
        "HTTP_HOST": "api.example.com",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "5",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": seen,
    }

    assert b"".join(place.app(environ, start_response)) == b"5"
    assert seen.read() == b"GET /admin"


def test_wsgi_gives_the_application_no_body_that_nothing_announced(runtime: Runtime) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/plain",
        "HTTP_HOST": "api.example.com",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(b'{"a": 1, "a": 2}'),
    }

    assert b"".join(_wsgi(runtime).app(environ, lambda *_: lambda piece: None)) == b"0"
