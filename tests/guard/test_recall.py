"""A request like one that passed a moment ago passes at once, and nothing that matters is passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from garrison.guard.drive import drive
from garrison.guard.force import Memory
from garrison.model.http.request import Header
from garrison.model.principal import Principal
from garrison.model.units import DAY
from garrison.policy.load import load
from tests.guard.world import HOST, ORIGIN, POLICY, World

ES256 = POLICY + '\n[jwt]\nalgorithm = "ES256"\n'
REPEATED = 5
"""More than any memory needs to begin to remember."""


@pytest.fixture(params=[POLICY, ES256], ids=["HS256", "ES256"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(request.param)
    yield world
    world.runtime.close()


def _repeat(world: World, target: str, *headers: Header, **parts: Any) -> set[int]:
    """Ask until it is remembered; gives the statuses, 0 for what may go on."""
    decisions = [world.ask(target, *headers, **parts) for _ in range(REPEATED)]
    return {0 if decision.answer is None else decision.answer.status for decision in decisions}


@pytest.mark.parametrize("kind", ["key", "token"])
def test_what_is_recalled_is_what_was_decided(world: World, kind: str) -> None:
    header = getattr(world, kind)("notes:read")
    first = world.ask("GET /notes/7", header, ORIGIN)
    assert _repeat(world, "GET /notes/7", header, ORIGIN) == {0}
    assert len(world.guard.force.passed) == 1

    again = world.ask("GET /notes/7", header, ORIGIN)

    for field in ("plan", "address", "parameters", "accepted"):
        assert getattr(again, field) == getattr(first, field)
    assert msgspec.structs.replace(again.principal, proof=None) == msgspec.structs.replace(first.principal, proof=None)
    assert again.correlation != first.correlation
    assert again.verdicts[0].remaining < first.verdicts[0].remaining


@pytest.mark.parametrize("kind", ["key", "token"])
def test_no_text_of_a_credential_is_kept(world: World, kind: str) -> None:
    header = getattr(world, kind)("notes:read")
    assert _repeat(world, "GET /plain", header) == {0}
    secret = header[1].removeprefix(b"Bearer ")

    kept = repr(world.guard.force.passed).encode()

    assert kept != b"{}"
    assert secret not in kept
    assert secret.rpartition(b".")[2] not in kept


CHANGES: dict[str, Callable[[Header], tuple[str, tuple[Header, ...], dict[str, Any]]]] = {
    "another host": lambda key: ("GET /plain", (key, (b"host", b"evil.net")), {}),
    "two hosts": lambda key: ("GET /plain", (HOST, key, HOST), {}),
    "another path": lambda key: ("GET /strong", (key,), {}),
    "another method": lambda key: ("DELETE /plain", (key,), {}),
    "another raw path": lambda key: ("GET /plain", (key,), {"raw_path": b"/pl%2fain"}),
    "the key twice": lambda key: ("GET /plain", (key, key), {}),
    "a changed key": lambda key: ("GET /plain", ((key[0], key[1][:-1] + b"~"),), {}),
    "a token beside it": lambda key: ("GET /plain", (key, (b"authorization", b"Bearer a.b.c")), {}),
    "the key where tokens stand": lambda key: ("GET /plain", ((b"authorization", key[1]),), {}),
    "nothing": lambda key: ("GET /plain", (), {}),
    "the key in the query": lambda key: ("GET /plain", (key,), {"query": b"k=" + key[1]}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_request_that_differs_is_judged_anew(world: World, change: str) -> None:
    key = world.key("notes:read")
    assert _repeat(world, "GET /plain", key) == {0}

    target, headers, parts = CHANGES[change](key)

    answer = world.ask(target, *headers, **parts).answer
    assert answer is not None
    assert 400 <= answer.status < 500


def test_another_origin_gets_its_own_grant(world: World) -> None:
    """A grant for one page must not be handed to another."""
    key = world.key()
    assert _repeat(world, "GET /plain", key, ORIGIN) == {0}
    mine, other = (
        world.ask("GET /plain", key, ORIGIN),
        world.ask("GET /plain", key, (b"origin", b"https://evil.net")),
    )

    assert mine.head is not None
    assert any(value == ORIGIN[1] for _, value in mine.head[1])
    assert other.head is None


def test_a_token_that_was_revoked_expired_or_whose_key_is_gone_does_not_pass(world: World) -> None:
    header = world.token("notes:read", session="s" * 16)
    other = world.token("notes:read", session="t" * 16)
    assert _repeat(world, "GET /plain", header) == _repeat(world, "GET /plain", other) == {0}
    side, runtime = world.runtime.driven_side, world.runtime
    ending = runtime.revoked.session(side.trust.issuer.issuer, "s" * 16, world.clock.wall(), runtime.randomness)
    assert drive(runtime.revoked.end(side.face, [ending]))

    assert _repeat(world, "GET /plain", header) == {401}
    assert _repeat(world, "GET /plain", other) == {0}

    world.clock.advance(DAY)
    assert _repeat(world, "GET /plain", other) == {401}


def test_a_policy_that_was_swapped_is_the_one_that_counts(world: World) -> None:
    key = world.key("notes:read")
    assert _repeat(world, "GET /plain", key) == {0}
    text = POLICY if world.runtime.policy.jwt.algorithm == "HS256" else ES256
    world.runtime.replace(
        load(text.replace('/plain" = { scopes = []', '/plain" = { scopes = ["notes:admin"]'), "development")
    )

    assert _repeat(world, "GET /plain", key) == {403}


def test_limits_are_spent_at_every_request(world: World) -> None:
    key = world.key("notes:read")
    statuses = [world.ask("GET /twice", key).answer for _ in range(REPEATED)]

    assert [answer is None for answer in statuses] == [True, True, False, False, False]


def test_what_is_dear_to_keep_is_not_kept(world: World) -> None:
    """Names are the caller's to choose; long ones would fill the memory."""
    key = world.key()
    assert _repeat(world, "GET /plain", key, (b"origin", b"https://" + b"x" * 1_900 + b".net")) == {0}
    assert len(world.guard.force.passed) == 1
    assert _repeat(world, "GET /plain", key, (b"origin", b"https://" + b"x" * 1_999)) == {0}
    assert len(world.guard.force.passed) == 1


@pytest.mark.parametrize(
    ("target", "kinds"),
    [
        ("GET /open", ()),
        ("GET /both", ("key", "token")),
        ("OPTIONS /plain", ("key",)),
        ("GET /watched", ("key",)),
        ("POST /login", ("key",)),
    ],
)
def test_what_depends_on_more_is_never_kept(world: World, target: str, kinds: tuple[str, ...]) -> None:
    headers = [getattr(world, kind)() for kind in kinds]
    _repeat(world, target, *headers)

    assert not world.guard.force.passed


def test_the_application_is_asked_each_time() -> None:
    asked: list[object] = []

    def authenticate(request: object) -> Principal:
        asked.append(request)
        return Principal(subject="ada", credential="custom:cookie")

    world = World(authenticate=authenticate)
    assert _repeat(world, "GET /plain", (b"authorization", b"Own x")) == {0}
    assert len(asked) == REPEATED
    assert not world.guard.force.passed
    world.runtime.close()


def test_a_memory_begins_anew_when_it_is_full() -> None:
    memory: Memory[int] = Memory()
    for number in range(5_000):
        assert memory.keep(("x", number), number) == number

    assert 0 < len(memory) <= 4_096
    assert memory.keep(("y" * 3_000,), 7) == 7
    assert ("y" * 3_000,) not in memory
