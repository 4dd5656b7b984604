"""What FastAPI finds wrong with a request, told with its place: path, query, header or body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Body, Cookie, FastAPI, Header, Path, Query

from garrison.fastapi import Garrison
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.journeys.places import AsgiPlace

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[routes]
"POST /notes/{id}" = { public = true, limit = "1000/s per address" }
"GET /page" = { public = true, limit = "1000/s per address" }
"""
JSON = ("content-type", "application/json")


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Two routes, open to all."""
    with at_work(POLICY) as runtime:
        yield runtime


@pytest.fixture
def app(runtime: Runtime) -> FastAPI:
    """An application that wants a number in every place."""
    app = FastAPI(openapi_url=None)

    @app.post("/notes/{id}")
    def write(
        id: Annotated[int, Path()],
        page: Annotated[int, Query()],
        x_count: Annotated[int, Header()],
        size: Annotated[int, Cookie()],
        text: Annotated[int, Body(embed=True)],
    ) -> None: ...

    @app.get("/page")
    def read(size: Annotated[int, Cookie()]) -> None: ...

    app.add_middleware(Garrison, runtime=runtime)
    return app


@pytest.mark.parametrize(
    ("id", "page", "count", "size", "text", "code", "title", "paths"),
    [
        ("x", "1", "1", "1", "1", "path_invalid", "Invalid path", ["path.id"]),
        ("1", "x", "1", "1", "1", "query_invalid", "Invalid query", ["query.page"]),
        ("1", "1", "x", "1", "1", "header_invalid", "Invalid header field", ["header.x-count"]),
        ("1", "1", "1", "x", "1", "header_invalid", "Invalid header field", ["cookie.size"]),
        ("1", "1", "1", "1", '"x"', "body_invalid", "Invalid body", ["text"]),
        ("1", "x", "1", "1", '"x"', "query_invalid", "Invalid query", ["query.page", "text"]),
    ],
)
def test_the_refusal_names_the_place(
    app: FastAPI,
    runner: asyncio.Runner,
    id: str,
    page: str,
    count: str,
    size: str,
    text: str,
    code: str,
    title: str,
    paths: list[str],
) -> None:
    """Of several places the first names it, and the errors tell of all."""
    fields = [JSON, ("x-count", count), ("cookie", f"size={size}")]

    answer = AsgiPlace(app, runner).call("POST", f"/notes/{id}", fields, f'{{"text": {text}}}'.encode(), page=page)

    assert (answer.status, answer.code, answer.json["title"]) == (422, code, title)
    assert sorted(error["path"] for error in answer.json["errors"]) == paths


def test_a_bad_field_of_a_body_is_named_as_garrison_names_it(app: FastAPI, runner: asyncio.Runner) -> None:
    """One notation for every bad field, whoever found it; the whole body has the empty path."""
    fields = [JSON, ("x-count", "1"), ("cookie", "size=1")]

    def paths(body: bytes) -> list[str]:
        answer = AsgiPlace(app, runner).call("POST", "/notes/1", fields, body, page="1")
        return [error["path"] for error in answer.json["errors"]]

    assert paths(b'{"text": {"a": 1}}') == ["text"]
    assert paths(b"{}") == ["text"]
    assert paths(b"7") == ["text"]


def test_the_document_promises_the_same(app: FastAPI, runner: asyncio.Runner) -> None:
    AsgiPlace(app, runner).call("GET", "/page")
    paths: dict[str, Any] = app.openapi()["paths"]

    def promised(path: str, method: str) -> str:
        answer = paths[path][method]["responses"]["422"]
        return str(answer["content"]["application/problem+json"]["example"]["code"])

    assert promised("/notes/{id}", "post") == "body_invalid"
    assert promised("/page", "get") == "header_invalid"


ACCOUNTS = """
service = "notes"
hosts = ["api.example.com"]

[accounts]
keys = "/api/keys"
"""


def test_the_document_tells_what_an_endpoint_reads_from_the_query() -> None:
    """Whoever generates a client from it can walk a long list of keys."""
    app = FastAPI(openapi_url=None)
    with at_work(ACCOUNTS) as runtime:
        app.add_middleware(Garrison, runtime=runtime)
        with asyncio.Runner() as runner:
            AsgiPlace(app, runner).call("GET", "/api/keys")
        operation: dict[str, Any] = app.openapi()["paths"]["/api/keys"]["get"]

    ((parameter,), refused) = operation["parameters"], operation["responses"]["422"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("after", "query", False)
    assert refused["content"]["application/problem+json"]["example"]["code"] == "query_invalid"
