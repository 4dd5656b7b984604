"""No stack trace reaches a caller, wherever the guard stands and whatever the application is set to."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from garrison.starlette import Garrison
from tests.adapters.world import at_work

POLICY = 'service = "notes"\n[routes]\n"GET /boom" = { public = true, limit = "9/s per address" }\n'


async def boom(request: Request) -> Response:
    """Fail."""
    raise RuntimeError("a secret detail")


@pytest.mark.parametrize("around", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_a_fault_is_a_problem_without_a_trace(*, around: bool, debug: bool) -> None:
    with at_work(POLICY) as runtime:
        middleware = [] if around else [Middleware(Garrison, runtime=runtime)]
        app = Starlette(debug=debug, routes=[Route("/boom", boom)], middleware=middleware)
        client = TestClient(Garrison(app, runtime=runtime) if around else app, raise_server_exceptions=False)

        answer = client.get("/boom", headers={"accept": "text/html"})

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
