"""Every 401, and every 403 that other scopes would mend, says what the route takes, and exactly that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garrison.guard.decision import Decision
from garrison.model.http.request import Header
from garrison.model.units import MINUTE
from tests.guard.world import HOST, World

POLICY = """
service = "notes"
hosts = ["api.example.com"]
[routes]
"GET /either" = { scopes = ["notes:read"] }
"GET /key" = { credentials = ["key"], scopes = ["notes:read"] }
"GET /token" = { credentials = ["jwt"], scopes = ["notes:read", "notes:list"] }
"GET /both" = { credentials = { all = ["key", "jwt"] } }
"GET /fresh" = { require = { fresh = "5m" } }
"GET /strong" = { credentials = ["jwt"], require = { methods = ["otp", "hwk"] } }
"""

KEY, TOKEN = 'ApiKey realm="notes"', 'Bearer realm="notes"'
WRONG_KEY = (b"x-api-key", b"grsn_live_nothing")
WRONG_TOKEN = (b"authorization", b"Bearer a.b.c")
BASIC = (b"authorization", b"Basic YWRhOmFkYQ==")
INVALID = f'{TOKEN}, error="invalid_token"'
STRONGER = f'{TOKEN}, error="insufficient_user_authentication"'


@pytest.fixture
def world() -> Iterator[World]:
    """A policy whose routes take everything in every combination."""
    world = World(POLICY)
    yield world
    world.runtime.close()


def told(decision: Decision) -> list[str]:
    """Give the challenges of an answer, in their order."""
    assert decision.answer is not None
    return [value.decode() for name, value in decision.answer.headers if name == b"www-authenticate"]


@pytest.mark.parametrize(
    ("target", "headers", "challenges"),
    [
        ("GET /either", (), [KEY, TOKEN]),
        ("GET /key", (), [KEY]),
        ("GET /token", (), [TOKEN]),
        ("GET /both", (), [KEY, TOKEN]),
        ("GET /fresh", (), [KEY, TOKEN]),
        ("GET /either", (WRONG_KEY,), [KEY, TOKEN]),
        ("GET /either", (WRONG_TOKEN,), [KEY, INVALID]),
        ("GET /either", (BASIC,), [KEY, INVALID]),
        ("GET /key", (WRONG_KEY,), [KEY]),
        ("GET /key", (WRONG_TOKEN,), [KEY]),
        ("GET /token", (WRONG_TOKEN,), [INVALID]),
        ("GET /token", (WRONG_KEY,), [TOKEN]),
        ("GET /both", (WRONG_KEY,), [KEY, TOKEN]),
        ("GET /both", (WRONG_TOKEN,), [KEY, TOKEN]),
    ],
)
def test_who_is_not_believed_is_told_what_the_route_takes(
    world: World, target: str, headers: tuple[Header, ...], challenges: list[str]
) -> None:
    """RFC 9110 section 15.5.2: a 401 always has a challenge; RFC 6750 section 3.1: no error where nothing came."""
    decision = world.ask(target, HOST, *headers)

    assert decision.refusal is not None
    assert (decision.refusal.status, told(decision)) == (401, challenges)


def test_a_missing_scope_is_told_to_bearers_and_no_other_scheme(world: World) -> None:
    """`ApiKey` has no parameters, and on a route for keys no token would do."""
    lacking = 'error="insufficient_scope", scope="notes:read"'

    assert told(world.ask("GET /either", world.key("notes:list"))) == [KEY, f"{TOKEN}, {lacking}"]
    assert told(world.ask("GET /key", world.key("notes:list"))) == [KEY]
    assert told(world.ask("GET /token", world.token("notes:list"))) == [
        f'{TOKEN}, error="insufficient_scope", scope="notes:read notes:list"'
    ]


def test_a_login_that_is_too_old_or_too_weak_is_asked_of_people(world: World) -> None:
    """RFC 9470 section 3. A key is never fresh, so none is asked for."""
    token = world.token()
    world.clock.advance(6 * MINUTE)

    assert told(world.ask("GET /fresh", token)) == [f"{STRONGER}, max_age=300"]
    assert told(world.ask("GET /fresh", world.key())) == [f"{STRONGER}, max_age=300"]
    assert told(world.ask("GET /strong", token)) == [f'{STRONGER}, acr_values="otp hwk"']


def test_what_no_credential_would_mend_has_no_challenge(world: World) -> None:
    for target, headers in (("GET /nowhere", ()), ("GET /either", (world.key(), world.token()))):
        assert told(world.ask(target, *headers)) == []
