"""A caller who writes down who they are: fields that proxies use to name a user are no credential."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from garrison import Garrison, GarrisonWSGI
from garrison.model.http.identity import TOLD_BY
from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import AsgiPlace, Place, WsgiPlace

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[forwarded]
peers = ["10.0.0.0/8"]

[routes]
"GET /open" = { public = true, limit = "2/m per address" }
"GET /seen" = { public = true, limit = [] }
"GET /mine" = { scopes = ["notes:read"] }
"GET /notes/{number}" = { scopes = ["notes:read"], own = true }
"""
FIELDS = [
    "x-user",
    "x-user-id",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-groups",
    "x-auth-request-user",
    "x-authenticated-user",
    "x-authenticated-scope",
    "x-remote-user",
    "remote-user",
    "remote_user",
    "x_forwarded_user",
    "x-client-cert",
    "x-ssl-client-s-dn",
    "ssl-client-verify",
    "x-amzn-oidc-identity",
    "x-goog-authenticated-user-email",
    "x-webauth-user",
    "x-tenant",
    "x-tenant-id",
    "x-scopes",
    "x-role",
    "garrison-principal",
    "garrison.principal",
    "x-garrison-principal",
]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """A proxy is trusted about addresses, and about nothing else."""
    with at_work(POLICY) as runtime:
        yield runtime


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1"])
def test_a_name_in_a_field_is_no_credential(place: Place, peer: str) -> None:
    """Not one by one, not all at once, and not from a trusted proxy either."""
    for fields in ([(name, "user:admin")] for name in FIELDS):
        answer = place.call("GET", "/mine", fields, peer=peer)
        assert (answer.status, answer.code) == (401, "credential_missing"), fields
    assert place.call("GET", "/mine", [(name, "admin") for name in FIELDS], peer=peer).status == 401


def test_it_makes_nobody_else_of_whom_the_key_names(place: Place, runtime: Runtime) -> None:
    """Neither identity nor scopes nor tenant; and a public route still knows nobody."""
    claims = [(name, "bob") for name in FIELDS]
    reader = key_of(runtime, "ada", "notes:read")

    told = place.call("GET", "/mine", [*claims, reader]).json
    assert (told["id"], told["scopes"]) == ("user:ada", ["notes:read"])
    assert place.call("GET", "/open", claims).json["id"] == "anonymous:"
    assert place.call("GET", "/notes/1", [*claims, reader]).status == 200
    assert place.call("GET", "/notes/2", [*claims, reader]).status == 404


STRIPPED = [name for names in TOLD_BY.values() for name in names]
SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda name: name.replace("-", "_"),
    lambda name: name.replace("-", "_", 1),
]


@pytest.mark.parametrize("spelt", SPELLINGS, ids=["as it is", "with underscores", "with both"])
def test_the_application_never_sees_what_a_caller_wrote(
    runtime: Runtime, runner: asyncio.Runner, spelt: Callable[[str], str]
) -> None:
    """A library in the same process that believes such a field would believe anybody."""
    fields = [*((spelt(name), "admin") for name in STRIPPED), ("x-request-id", "1"), ("x-user-agent", "2")]

    assert _asgi_sees(runtime, runner, fields) == {b"host", b"x-request-id", b"x-user-agent"}
    assert _wsgi_sees(runtime, fields) == {"HTTP_HOST", "HTTP_X_REQUEST_ID", "HTTP_X_USER_AGENT"}


def test_one_line_among_ordinary_ones_is_enough(runtime: Runtime, runner: asyncio.Runner) -> None:
    for name in STRIPPED:
        assert _asgi_sees(runtime, runner, [("accept", "*/*"), (name, "x"), (name, "y")]) == {b"host", b"accept"}
        assert _wsgi_sees(runtime, [("accept", "*/*"), (name, "x")]) == {"HTTP_HOST", "HTTP_ACCEPT"}


def _asgi_sees(runtime: Runtime, runner: asyncio.Runner, fields: list[tuple[str, str]]) -> set[bytes]:
    seen: set[bytes] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(name for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    answer = AsgiPlace(Garrison(app, runtime=runtime), runner).call("GET", "/seen", fields)
    assert answer.status == 200
    return seen


def _wsgi_sees(runtime: Runtime, fields: list[tuple[str, str]]) -> set[str]:
    seen: set[str] = set()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(name for name in environ if name.startswith("HTTP_"))
        start_response("200 OK", [])
        return []

    assert WsgiPlace(GarrisonWSGI(app, runtime=runtime)).call("GET", "/seen", fields).status == 200
    return seen


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1"])
def test_only_one_field_names_an_address_and_only_from_a_proxy(place: Place, peer: str) -> None:
    """All others are ignored: with a new address in each, a limit by address would count nothing."""
    fields = ("x-real-ip", "client-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip", "forwarded", "x-forwarded")
    asked = [
        place.call("GET", "/open", [(field, f"{prefix}198.51.100.{number}")], peer=peer).status
        for number, field in enumerate(fields)
        for prefix in ("", "for=")
    ]

    assert asked == [200, 200] + [429] * 12


def test_a_stranger_is_not_believed_about_addresses(place: Place) -> None:
    asked = [place.call("GET", "/open", [("x-forwarded-for", f"198.51.100.{n}")], peer="192.0.2.9") for n in range(4)]

    assert [answer.status for answer in asked] == [200, 200, 429, 429]
