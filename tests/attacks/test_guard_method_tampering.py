"""A method that is not what it seems: overrides, HEAD and OPTIONS in place of GET, other cases, a literal `WS`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from garrison import Garrison
from garrison.errors import PolicyError
from garrison.policy.load import load
from garrison.runtime.compose import Runtime
from tests.adapters.socket_client import connect
from tests.adapters.world import at_work, key_of
from tests.journeys.places import AsgiPlace, Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[cors.web]
origins = ["https://app.example.com"]

[routes]
"GET /plain" = { public = true }
"GET /mine" = { scopes = ["notes:read"], limit = "3/m per principal" }
"DELETE /mine" = { scopes = ["notes:delete"] }
"POST /echo" = { public = true }
"WS /room" = { public = true, cors = "web" }
"WS|GET /both" = { scopes = ["notes:read"], cors = "web" }
"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Reading is free, deleting is not."""
    with at_work(POLICY) as runtime:
        yield runtime


@pytest.mark.parametrize("field", ["x-http-method-override", "x-http-method", "x-method-override", "_method"])
def test_a_field_does_not_change_the_method(place: Place, runtime: Runtime, field: str) -> None:
    """A GET that some framework takes for a DELETE would pass by the rights of a GET, and the reverse."""
    reader = key_of(runtime, "ada", "notes:read")
    told = place.call("GET", "/mine", [reader, (field, "DELETE")])
    assert told.status == 200
    assert told.json["id"] == "user:ada"

    refused = place.call("DELETE", "/mine", [reader, (field, "GET")])
    assert (refused.status, refused.code) == (403, "scope_missing")
    unknown = place.call("POST", "/plain", [(field, "GET")])
    assert (unknown.status, unknown.code) == (405, "method_not_allowed")


def test_neither_does_a_parameter_or_a_form(place: Place, runtime: Runtime) -> None:
    reader = key_of(runtime, "ada", "notes:read")

    assert place.call("DELETE", "/mine", [reader], _method="GET").status == 403
    form = ("content-type", "application/x-www-form-urlencoded")
    assert place.call("POST", "/plain", [form], b"_method=GET", _method="GET").status == 405


def test_a_request_that_calls_itself_a_socket_is_none(place: Place, runtime: Runtime) -> None:
    """`WS` is a word of the policy, not of HTTP: such a request would pass by a socket's rights, without handshake."""
    key = key_of(runtime, "ada", "notes:read")

    for method, path in product(("WS", "ws", "Ws"), ("/room", "/both", "/plain")):
        answer = place.call(method, path, [key])
        assert (answer.status, answer.code) in ((404, "route_unknown"), (405, "method_not_allowed")), (method, path)
        assert "WS" not in (answer.header("allow") or "")


def test_a_method_is_known_byte_for_byte(place: Place) -> None:
    """RFC 9110 section 9.1: methods are case-sensitive."""
    for method in ("get", "Get", "GET ", "GETT", "", "TRACE", "CONNECT", "TRACK", "PROPFIND", "G\u00cbT"):
        answer = place.call(method, "/plain")

        assert (answer.status, answer.code) == (405, "method_not_allowed"), method
        assert answer.header("allow") == "GET, HEAD"


def test_head_is_no_way_round_get(place: Place, runtime: Runtime) -> None:
    """It is judged, and paid for, as the GET it stands for; and it has no body."""
    reader, stranger = key_of(runtime, "ada", "notes:read"), key_of(runtime, "eve")

    assert place.call("HEAD", "/mine").status == 401
    assert place.call("HEAD", "/mine").body == b""
    assert place.call("HEAD", "/mine", [stranger]).status == 403
    spent = [place.call("HEAD", "/mine", [reader]).status for _ in range(4)]
    assert spent[-1] == 429
    assert place.call("GET", "/mine", [reader]).status == 429


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("origin", "https://app.example.com")],
        [("access-control-request-method", "GET")],
        [("origin", "https://evil.example"), ("access-control-request-method", "GET")],
        [("origin", "https://app.example.com"), ("access-control-request-method", "GET")],
    ],
)
def test_options_reaches_no_handler(place: Place, runtime: Runtime, headers: list[tuple[str, str]]) -> None:
    """With a credential or without; half a preflight is none."""
    for extra in ([], [key_of(runtime, "ada", "notes:read")]):
        answer = place.call("OPTIONS", "/mine", [*headers, *extra])

        assert answer.status in (403, 405)
        assert b"user:ada" not in answer.body


def test_a_socket_is_still_a_socket(runtime: Runtime, runner: asyncio.Runner) -> None:
    """The other side of the edit: what is refused above is open to a handshake, and only to that."""
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])
        await send({"type": "websocket.close"})

    guarded = Garrison(app, runtime=runtime)
    runner.run(connect(guarded, "/room"))
    AsgiPlace(guarded, runner).call("WS", "/room")

    assert reached == ["websocket"]


@pytest.mark.parametrize("path", ["/mine", "/{name}", "/{rest:path}"])
def test_no_policy_lets_head_run_what_get_guards(path: str) -> None:
    """Frameworks run the handler of GET for a HEAD; a HEAD that anybody may send would run it for anybody."""
    with pytest.raises(PolicyError) as refused:
        load(POLICY + f'"HEAD {path}" = {{ public = true, limit = "9/s per address" }}\n', "production")

    assert "GP024" in [problem.rule for problem in refused.value.problems]
