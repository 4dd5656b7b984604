"""A request that names another host than the one that is served: rebound DNS names, forged links, confused proxies.

A rebound name makes a page of the attacker same-origin with an API on loopback; a forged Host poisons every link
that the application builds from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work, key_of
from tests.journeys.places import Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[cors.web]
origins = ["https://app.example.com"]

[routes]
"GET /plain" = { scopes = [], cors = "web" }
"POST /echo" = { public = true }
"""
SERVED = ("host", "api.example.com")
FOREIGN = [
    "evil.example",
    "rebound.evil.example:8000",
    "api.example.com.evil.example",
    "evil.example#api.example.com",
    "api.example.com@evil.example",
    "evil.example/api.example.com",
    "api.example.com, evil.example",
    "api.example.com evil.example",
    "api.example.com:443:443",
    "api.example.com:@evil.example",
    "api.example.com.",
    "api.example.com:99999999",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::2]",
    "2130706433",
    "0",
    "http://api.example.com",
    "аpi.example.com".encode().decode("latin-1"),
    "",
]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """One served host."""
    with at_work(POLICY) as runtime:
        yield runtime


def test_another_host_is_misdirected_even_with_a_good_key(place: Place, runtime: Runtime) -> None:
    """RFC 9110 section 7.4; nothing is looked up for it."""
    key = key_of(runtime, "ada")

    for host in FOREIGN:
        answer = place.call("GET", "/plain", [("host", host), key])
        assert (answer.status, answer.code) == (421, "host_unknown"), host
        assert len(host) < 2 or host.encode("latin-1") not in answer.body


def test_two_hosts_are_none(place: Place, runtime: Runtime) -> None:
    """Which of them counts must not be a matter of taste (RFC 9112 section 3.2)."""
    key = key_of(runtime, "ada")

    for second in ("evil.example", "api.example.com"):
        assert place.call("GET", "/plain", [SERVED, ("host", second), key]).status == 421


@pytest.mark.parametrize(
    "field",
    ["x-forwarded-host", "x-host", "x-original-host", "x-forwarded-server", "forwarded", "x-http-host-override"],
)
def test_no_other_field_names_the_host(place: Place, runtime: Runtime, field: str) -> None:
    """Neither opens it: a served name there does not mend a foreign Host, nor a foreign one spoil it."""
    key, value = key_of(runtime, "ada"), "host={}" if field == "forwarded" else "{}"

    assert (
        place.call("GET", "/plain", [("host", "evil.example"), (field, value.format("api.example.com")), key]).status
        == 421
    )
    assert place.call("GET", "/plain", [SERVED, (field, value.format("evil.example")), key]).status == 200


def test_a_rebound_page_is_refused_before_cors_is_asked(place: Place) -> None:
    """Its Origin equals its Host; that is why no origin is ever compared with Host."""
    rebound = [("host", "evil.example"), ("origin", "http://evil.example")]

    for extra in ([], [("access-control-request-method", "GET")]):
        answer = place.call("OPTIONS", "/plain", [*rebound, *extra])
        assert answer.status == 421
        assert answer.header("access-control-allow-origin") is None
    assert place.call("POST", "/echo", [*rebound, ("content-type", "application/json")], b"{}").status == 421


@pytest.mark.parametrize("path", ["http://api.example.com/plain", "//api.example.com/plain", "evil.example:443", "*"])
def test_a_host_in_the_target_is_no_path(place: Place, runtime: Runtime, path: str) -> None:
    """The absolute form (RFC 9112 section 3.2.2), which servers that do not take it apart pass on."""
    assert place.call("GET", path, [SERVED, key_of(runtime, "ada")]).status in (400, 404)
