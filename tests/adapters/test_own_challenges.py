"""An application that refuses by itself: its 401 says what the route takes, its 403 which scopes are lacking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import flask
import pytest
from fastapi import FastAPI, HTTPException, Security

from garrison.adapters.flask import Garrison as FlaskGarrison
from garrison.fastapi import Garrison, Principal, principal
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Answer, AsgiPlace, WsgiPlace

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[defaults]
limit = "1000/s per address"

[routes]
"GET /either" = { scopes = ["notes:read"] }
"GET /key" = { credentials = ["key"] }
"GET /token" = { credentials = ["jwt"], public = true }
"GET /nothing" = { credentials = [], public = true }
"GET /own" = { public = true }
"GET /teapot" = { public = true }
"GET /more" = { scopes = ["notes:read"] }
"GET /open" = { public = true }
"""
KEY, TOKEN = 'ApiKey realm="notes"', 'Bearer realm="notes"'


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Routes that take different credentials."""
    with at_work(POLICY) as runtime:
        yield runtime


@pytest.fixture
def place(runtime: Runtime, runner: asyncio.Runner) -> AsgiPlace:
    """A FastAPI application that refuses whoever comes as far as it."""
    app = FastAPI(openapi_url=None)

    @app.get("/teapot")
    def teapot() -> None:
        raise HTTPException(418)

    @app.get("/own")
    def own() -> None:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="old"'})

    @app.get("/more")
    @app.get("/open")
    def more(
        me: Annotated[Principal, Security(principal, scopes=["notes:read", "notes:print", 'no"scope'])],
    ) -> None: ...

    @app.get("/{rest}")
    def refuse(rest: str) -> None:
        raise HTTPException(401)

    app.add_middleware(Garrison, runtime=runtime)
    return AsgiPlace(app, runner)


def told(answer: Answer) -> list[str]:
    return [value for name, value in answer.headers if name.lower() == "www-authenticate"]


@pytest.mark.parametrize(
    ("path", "challenges"),
    [
        ("/either", [KEY, TOKEN]),
        ("/key", [KEY]),
        ("/token", [TOKEN]),
        ("/nothing", []),
        ("/own", ['Basic realm="old"']),
    ],
)
def test_a_401_of_the_application_says_what_the_route_takes(
    place: AsgiPlace, runtime: Runtime, path: str, challenges: list[str]
) -> None:
    """RFC 9110 section 15.5.2; what the application names stays alone, a route that takes nothing names nothing."""
    headers = [key_of(runtime, "ada", "notes:read")] if path in ("/either", "/key") else []

    answer = place.call("GET", path, headers)

    assert (answer.status, told(answer)) == (401, challenges)


def test_no_other_status_has_a_challenge(place: AsgiPlace) -> None:
    answer = place.call("GET", "/teapot")

    assert (answer.status, told(answer)) == (418, [])


def test_a_handler_that_demands_more_than_the_policy_says_what(place: AsgiPlace, runtime: Runtime) -> None:
    """RFC 6750 section 3.1. What is no scope is not repeated: a quote would end the parameter."""
    answer = place.call("GET", "/more", [key_of(runtime, "ada", "notes:read")])

    lacking = f'{TOKEN}, error="insufficient_scope", scope="notes:read notes:print"'
    assert (answer.status, answer.code, told(answer)) == (403, "scope_missing", [KEY, lacking])


def test_a_handler_that_demands_somebody_on_a_public_route_says_whom(place: AsgiPlace) -> None:
    answer = place.call("GET", "/open")

    assert (answer.status, answer.code, told(answer)) == (401, "credential_missing", [KEY, TOKEN])


def test_over_wsgi_it_is_the_same(runtime: Runtime) -> None:
    app = flask.Flask("notes")

    @app.get("/<rest>")
    def refuse(rest: str) -> str:
        flask.abort(401)

    FlaskGarrison(app, runtime=runtime)
    answer = WsgiPlace(app).call("GET", "/key", [key_of(runtime, "ada")])

    assert (answer.status, told(answer)) == (401, [KEY])
