"""What Django does in its own way: an answer may still be made when the middleware has returned it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory, override_settings

from garrison.django import Garrison
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.journeys.places import configure_django

POLICY = """
service = "notes"

[routes]
"GET /x" = { public = true, limit = "1 at once per address" }
"POST /echo" = { public = true, content = ["*/*"], limit = "9/s per address" }
"GET /refused" = { scopes = ["a"], credentials = ["key"], limit = "1 at once per address" }
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    configure_django()
    with at_work(POLICY) as runtime, override_settings(GARRISON_RUNTIME=runtime):
        yield runtime


def _ask(guard: Garrison, path: str = "/x") -> HttpResponseBase:
    return guard(RequestFactory().get(path, HTTP_HOST="localhost", REMOTE_ADDR="127.0.0.1"))


def test_a_place_is_held_until_the_last_byte_is_out(runtime: Runtime) -> None:
    """Given back when the view returns, `1 at once` would let any number of streams run side by side."""
    guard = Garrison(lambda _: StreamingHttpResponse(iter([b"a", b"b"])))
    first, second = _ask(guard), _ask(guard)

    assert [first.status_code, second.status_code] == [200, 429]
    first.close()
    assert _ask(guard).status_code == 200


def test_a_refusal_gives_its_place_back(runtime: Runtime) -> None:
    """It took one before anybody looked at the credential."""
    guard = Garrison(lambda _: StreamingHttpResponse())

    assert [_ask(guard, "/refused").status_code for _ in range(3)] == [401] * 3


def test_a_body_that_tells_no_length_is_refused_before_a_view_takes_it_for_an_empty_one(runtime: Runtime) -> None:
    """Django reads no further than `Content-Length`, and there is none."""
    guard = Garrison(lambda request: HttpResponse(request.body))
    request = RequestFactory().post("/echo", HTTP_HOST="localhost", HTTP_TRANSFER_ENCODING="chunked")
    del request.environ["CONTENT_LENGTH"]

    assert guard(request).status_code == 411
