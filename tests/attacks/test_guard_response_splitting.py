"""A line break in what a caller sends, coming back in an answer: one header becomes two, or an answer of its own.

Also whatever else a caller could have written into an answer's head: nothing of it is reflected.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Answer, Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[cors.web]
origins = ["https://*.example.com"]
headers = ["*"]
methods = ["*"]
credentials = true

[routes]
"GET /plain" = { scopes = ["notes:read"], cors = "web" }
"GET /notes/{number}" = { scopes = ["notes:read"], cors = "web" }
"""
BREAK = "\r\nx-injected: 1\r\n\r\n<b>"
BREAKS = [BREAK, "\nx-injected: 1", "\rx-injected: 1", "\x85x-injected: 1", "\x00x-injected: 1", "\x0bx-injected: 1"]
FIELDS = [
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "access-control-request-private-network",
    "x-request-id",
    "x-correlation-id",
    "traceparent",
    "x-api-key",
    "authorization",
    "x-forwarded-proto",
    "x-forwarded-host",
    "content-type",
    "accept",
    "accept-language",
    "range",
    "if-none-match",
    "referer",
    "user-agent",
]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """A policy that echoes as much as any policy can: patterns, stars and credentials."""
    with at_work(POLICY) as runtime:
        yield runtime


def _is_whole(answer: Answer) -> bool:
    return not any(
        letter in part for name, value in answer.headers for part in (name, value) for letter in "\r\n\x00\x85\x0b<"
    ) and not any("injected" in name or "injected" in value for name, value in answer.headers)


@pytest.mark.parametrize("text", BREAKS)
def test_a_line_break_in_a_field_does_not_come_back(place: Place, runtime: Runtime, text: str) -> None:
    """A server should have refused it; whoever put the guard behind another one must not depend on that."""
    good = {
        "origin": "https://app.example.com",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-api-key",
    }
    key = key_of(runtime, "ada", "notes:read")

    for field in FIELDS:
        headers = list(({**good, field: good.get(field, "x") + text}).items())
        assert _is_whole(place.call("OPTIONS", "/plain", headers)), field
        assert _is_whole(place.call("GET", "/plain", headers)), field
        assert _is_whole(place.call("GET", "/plain", [*headers, key])), field


@pytest.mark.parametrize("path", ["/plain%0d%0ax-injected:%201", "/notes/%0d%0ax-injected", "/%0a/plain", "/plain%0d/"])
def test_a_line_break_in_the_path_does_not_come_back(place: Place, path: str) -> None:
    answer = place.call("GET", path)

    assert answer.status == 400
    assert _is_whole(answer)
    assert b"injected" not in answer.body


@pytest.mark.parametrize("method", ["GET\r\nx-injected: 1", "GET x-injected", "<b>injected</b>"])
def test_a_method_does_not_come_back(place: Place, method: str) -> None:
    """Neither in `Allow` nor in the text of a known path."""
    answer = place.call(method, "/plain")

    assert answer.status == 405
    assert _is_whole(answer)
    assert b"injected" not in answer.body


def test_the_callers_name_for_a_request_is_not_taken(place: Place) -> None:
    """Else two requests could have one name in the journal, and a log viewer a script."""
    answer = place.call("GET", "/plain", [("x-request-id", "0-1"), ("x-correlation-id", "0-1")])

    assert answer.header("x-request-id") != "0-1"
    assert answer.json["correlation"] == answer.header("x-request-id")
