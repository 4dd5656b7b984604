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
        ("1", "1", "1", "1", '"x"', "body_invalid", "Invalid body", ["body.text"]),
        ("1", "x", "1", "1", '"x"', "query_invalid", "Invalid query", ["body.text", "query.page"]),
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


def test_the_document_promises_the_same(app: FastAPI, runner: asyncio.Runner) -> None:
    AsgiPlace(app, runner).call("GET", "/page")
    paths: dict[str, Any] = app.openapi()["paths"]

    def promised(path: str, method: str) -> str:
        answer = paths[path][method]["responses"]["422"]
        return str(answer["content"]["application/problem+json"]["example"]["code"])

    assert promised("/notes/{id}", "post") == "body_invalid"
    assert promised("/page", "get") == "header_invalid"
