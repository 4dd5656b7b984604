"""The head of every answer: ours in one pass, the application's kept, CORS only for whom it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garrison.guard.finish import finish
from garrison.model.http.request import Header
from tests.guard.world import ORIGIN, POLICY, World, asked

JSON: Header = (b"content-type", b"application/json")
PREFLIGHT = (ORIGIN, (b"access-control-request-method", b"GET"))


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.runtime.close()


def _finished(world: World, target: str, *headers: Header, status: int = 200, **parts: str) -> dict[bytes, bytes]:
    request = asked(target, *headers, **parts)
    decision = world.decide(request)
    return dict(finish(decision, request, status, [JSON]))


def test_an_answer_carries_the_grant_the_limits_and_the_name_of_the_request(world: World) -> None:
    lines = _finished(world, "GET /plain", world.key(), ORIGIN)

    assert lines[b"content-type"] == JSON[1]
    assert lines[b"access-control-allow-origin"] == ORIGIN[1]
    assert lines[b"ratelimit"].startswith(b'"1000/s/principal";r=999;t=')
    assert b"-" in lines[b"x-request-id"]
    assert lines[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("headers", [(), ((b"origin", b"https://evil.net"),), (ORIGIN, ORIGIN)])
def test_only_a_listed_origin_gets_a_grant(world: World, headers: tuple[Header, ...]) -> None:
    assert b"access-control-allow-origin" not in _finished(world, "GET /plain", world.key(), *headers)


def test_a_route_without_cors_grants_nothing(world: World) -> None:
    assert b"access-control-allow-origin" not in _finished(world, "GET /free", ORIGIN)


@pytest.mark.parametrize(("scheme", "told"), [("https", True), ("wss", True), ("http", False)])
def test_transport_security_is_told_over_secure_transport_alone(world: World, scheme: str, told: bool) -> None:
    assert (b"strict-transport-security" in _finished(world, "GET /free", scheme=scheme)) == told


@pytest.mark.parametrize(
    ("peer", "proto", "told"),
    [("10.0.0.1", b"https", True), ("10.0.0.1", b"http", False), ("192.0.2.1", b"https", False)],
)
def test_only_a_trusted_proxy_says_that_the_caller_came_over_https(peer: str, proto: bytes, told: bool) -> None:
    world = World(POLICY + '\n[forwarded]\nheader = "x-forwarded-for"\npeers = ["10.0.0.0/8"]\nscheme = true\n')
    headers = ((b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-proto", proto))
    key = world.key()
    for _ in range(5):
        lines = _finished(world, "GET /plain", key, *headers, peer=peer)
        assert (b"strict-transport-security" in lines) == told
    world.runtime.close()


def test_what_is_somebodys_is_not_stored_by_caches(world: World) -> None:
    assert b"no-store" in _finished(world, "GET /plain", world.key())[b"cache-control"]
    assert b"cache-control" not in _finished(world, "GET /free")
    assert b"no-store" in _finished(world, "GET /free", status=500)[b"cache-control"]


def test_a_preflight_brings_its_own_answer_and_lends_it_to_nobody(world: World) -> None:
    granted = _finished(world, "OPTIONS /plain", *PREFLIGHT, status=204)
    assert granted[b"access-control-allow-methods"]
    refused = _finished(world, "OPTIONS /plain", ORIGIN, (b"access-control-request-method", b"PUT"), status=403)
    assert b"access-control-allow-methods" not in refused

    missing = _finished(world, "GET /nowhere", ORIGIN, status=404)

    assert missing[b"access-control-allow-origin"] == ORIGIN[1]
    assert b"access-control-allow-methods" not in missing


def test_the_applications_own_cors_lines_do_not_count(world: World) -> None:
    request = asked("GET /plain", world.key(), ORIGIN)
    lines = [(b"access-control-allow-origin", b"*"), (b"vary", b"accept"), JSON]

    finished = finish(world.decide(request), request, 200, lines)

    assert [value for name, value in finished if name == b"access-control-allow-origin"] == [ORIGIN[1]]
    assert [value for name, value in finished if name == b"vary"] == [b"accept,Origin"]
    assert lines[0][1] == b"*"
