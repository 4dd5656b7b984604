"""An application inside another answers as the outer one does: what is mounted is guarded no less."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Security
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.routing import Mount, Route, Router

from garrison.fastapi import Garrison, Principal, principal
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Answer, AsgiPlace

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[defaults]
credentials = ["key"]
limit = "999/s per key"

[routes]
"%(at)s/mine/{id}" = { own = true }
"GET %(at)s/scoped" = {}
"GET %(at)s/boom" = {}
"GET %(at)s/tea" = {}
"GET %(at)s/plain" = {}
"GET %(at)s/deep/mine/1" = { own = true }
"POST %(at)s/login" = {}
""".replace('"%(at)s/mine', '"GET %(at)s/mine')


Me = Annotated[Principal, Security(principal)]
Writer = Annotated[Principal, Security(principal, scopes=["b:write"])]


class Login(BaseModel):
    """What logs in here: a number, so that a word is a mistake."""

    password: int


def _filled(app: FastAPI) -> FastAPI:
    @app.get("/mine/{id}")
    def mine(id: int, me: Me) -> None:
        if id == 0:
            raise HTTPException(404)
        me.must_own("user:other")

    @app.get("/scoped")
    def scoped(me: Writer) -> None: ...

    @app.get("/boom")
    def boom() -> None:
        msg = "a secret detail"
        raise ValueError(msg)

    @app.get("/tea")
    def tea() -> None:
        raise HTTPException(418, "tea")

    @app.get("/plain")
    def plain() -> int:
        return 1

    @app.api_route("/own", methods=["HEAD"])
    def own() -> None: ...

    @app.post("/login")
    def login(body: Login) -> None: ...

    return app


async def _deep(request: Request) -> Any:
    request.user.must_own("user:other")


def _wrapped(outer: FastAPI, inner: FastAPI) -> None:
    outer.mount("/sub", GZipMiddleware(inner))


def _routed(outer: FastAPI, inner: FastAPI) -> None:
    outer.mount("/", Router(routes=[Mount("/sub", inner)]))


def _included(outer: FastAPI, inner: FastAPI) -> None:
    router = APIRouter()
    router.mount("/sub", inner)
    outer.include_router(router)


@pytest.fixture(params=[_wrapped, _routed, _included])
def answers(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Any]:
    """Ask for a path inside a mount, however it is mounted, with a key; a Starlette application is mounted in it."""
    with at_work(POLICY % {"at": "/sub"}) as runtime:
        app, inner = _filled(FastAPI(openapi_url=None)), _filled(FastAPI(openapi_url=None))
        inner.mount("/deep", Starlette(routes=[Mount("/mine", routes=[Route("/1", _deep)])]))
        request.param(app, inner)
        app.add_middleware(Garrison, runtime=runtime)
        place, key = AsgiPlace(app, runner), key_of(runtime, "ada", "a:read")

        def ask(method: str, path: str, body: bytes = b"") -> Answer:
            lines = [key, *([("content-type", "application/json")] if body else [])]
            return place.call(method, f"/sub{path}", lines, body)

        yield ask


def test_anothers_thing_answers_like_a_missing_one(answers: Any) -> None:
    """A 500 for the one and a 404 for the other tells a stranger what exists."""
    missing, others, deep = answers("GET", "/mine/0"), answers("GET", "/mine/1"), answers("GET", "/deep/mine/1")

    for answer in (missing, others, deep):
        assert (answer.status, answer.code) == (404, "not_found")


def test_what_was_sent_is_not_given_back(answers: Any) -> None:
    """It may be a password, typed into the wrong field."""
    answer = answers("POST", "/login", b'{"password": "hunter2"}')

    assert (answer.status, answer.code) == (422, "body_invalid")
    assert b"hunter2" not in answer.body


@pytest.mark.parametrize(("path", "status", "code"), [("/scoped", 403, "scope_missing"), ("/tea", 418, "http_418")])
def test_every_refusal_is_a_problem(answers: Any, path: str, status: int, code: str) -> None:
    answer = answers("GET", path)

    assert (answer.status, answer.code) == (status, code)


def test_a_fault_tells_nothing(answers: Any) -> None:
    answer = answers("GET", "/boom")

    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"secret" not in answer.body


def test_head_follows_get(answers: Any) -> None:
    assert answers("HEAD", "/plain").status == 200
