"""What an application of Starlette's or FastAPI's raises: errors become problem details, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient

from garrison.fastapi import Garrison as OverFastAPI
from garrison.starlette import Garrison as OverStarlette
from tests.adapters.world import at_work

POLICY = 'hosts = ["localhost"]\n[routes]\n"GET /{status:int}" = { public = true, limit = "99/s per address" }\n'


@pytest.fixture(params=[Starlette, FastAPI])
def get(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """Raises the status that its path names."""
    app = request.param()

    async def raises(request: Request) -> Any:
        status = int(request.path_params["status"])
        raise HTTPException(status, "Said.", {"location": "/elsewhere"})

    app.add_route("/{status}", raises)
    with at_work(POLICY) as runtime:
        app.add_middleware(OverFastAPI if isinstance(app, FastAPI) else OverStarlette, runtime=runtime)
        with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
            yield client


@pytest.mark.parametrize(("status", "body"), [(302, "Said."), (308, "Said."), (304, ""), (204, "")])
def test_what_is_no_error_is_no_problem(get: TestClient, status: int, body: str) -> None:
    """Raising a redirect is how many applications send a browser to a login page."""
    answer = get.get(f"/{status}")

    assert (answer.status_code, answer.text, answer.headers["location"]) == (status, body, "/elsewhere")
    assert "problem" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (413, "body_too_large"), (418, "http_418")])
def test_an_error_is_a_problem_with_a_stable_code(get: TestClient, status: int, code: str) -> None:
    answer = get.get(f"/{status}")

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (status, code, "Said.")
