"""Single steps, where a whole request would not tell which of them spoke."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from garrison.guard.decision import Decision
from garrison.guard.finish import finish_own
from garrison.guard.force import InForce
from garrison.guard.steps.present import present
from garrison.guard.steps.spend import principal_asks
from garrison.limits import parse
from garrison.model.http.refusal import refuse
from garrison.model.http.request import Header
from garrison.model.http.response import Response
from garrison.model.principal import Principal
from garrison.policy.plan import Rule
from tests.guard.world import ORIGIN, POLICY, World, asked


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.runtime.close()


class _Says:
    """A credential that finds what it was told to find."""

    kind, challenge, lasts = "own", b'Bearer realm="own"', False

    def __init__(self, found: object) -> None:
        self._found = found

    def find(self, request: object) -> Any:
        return self._found


@pytest.mark.parametrize("code", ["credential_ambiguous", "credential_malformed", "credential_refused"])
def test_what_a_credential_says_of_its_form_is_what_counts(world: World, code: str) -> None:
    decision = world.ask("GET /free")
    decision.accepted = (_Says(refuse(code)),)  # type: ignore[assignment]  # only what is asked of it

    assert present(asked("GET /free"), decision) == refuse(code)


def test_two_credentials_where_one_is_wanted_are_ambiguous(world: World) -> None:
    decision = world.ask("GET /plain", world.key(), world.token())

    assert decision.refusal is not None
    assert (decision.refusal.status, decision.refusal.code) == (400, "credential_ambiguous")


@pytest.mark.parametrize(
    ("per", "principal", "party"),
    [
        ("principal", Principal(subject="ada", tenant="t"), "user:ada::t"),
        ("key", Principal(subject="ada", credential="key:x"), "key:x"),
        ("key", Principal(subject="ada"), "user:ada"),
        ("tenant", Principal(subject="ada", tenant="t"), "t"),
        ("global", Principal(subject="ada", tenant="t"), ""),
    ],
)
def test_a_limit_counts_whom_it_says(world: World, per: str, principal: Principal, party: str) -> None:
    decision = world.ask("GET /free")
    rule = Rule("twelveletter", parse(f"5/m per {per}"))
    decision.plan = msgspec.structs.replace(decision.plan, route=f"GET /{per}{party}", after=(rule,))
    decision.principal = principal

    (ask,) = principal_asks(decision)
    assert ask.subject.endswith(party)
    assert principal_asks(decision) == (ask,)


def test_the_limits_of_a_credential_are_asked_beside_the_routes(world: World) -> None:
    key = world.key(limits=("9/m per key", "3/m per key"))
    assert len(world.ask("GET /plain", key).verdicts) == 3
    both = world.ask("GET /both", key, world.token(subject="grace"))
    assert len(both.verdicts) == 4


def test_address_and_principal_are_told_together(world: World) -> None:
    decision = world.ask("GET /paid", world.key())

    assert [ask.limit.per for ask in decision.asks] == ["address", "principal"]
    assert [verdict.remaining for verdict in decision.verdicts] == [6, 8]


@pytest.mark.parametrize(("status", "lengths"), [(200, [b"5"]), (204, []), (304, [])])
def test_an_answer_of_our_own_has_exactly_one_length(world: World, status: int, lengths: list[bytes]) -> None:
    request = asked("GET /free")
    response = Response(status, ((b"content-length", b"7"),), b"hello")

    lines = finish_own(world.decide(request), request, response)

    assert [value for name, value in lines if name == b"content-length"] == lengths


WRITES = [
    ((), False),
    ((ORIGIN,), False),  # may read answers here, but not with the cookies of whoever looks at it
    (((b"origin", b"https://api.example.com"),), True),
    (((b"origin", b"https://evil.net"),), False),
    (((b"sec-fetch-site", b"same-origin"),), True),
    (((b"sec-fetch-site", b"cross-site"),), False),
    ((ORIGIN, ORIGIN), False),
]


@pytest.mark.parametrize(("headers", "passes"), WRITES)
def test_a_cookie_writes_only_from_here(headers: tuple[Header, ...], passes: bool) -> None:
    """Whatever name the application gives what it believed."""
    world = World(authenticate=lambda request: Principal(subject="ada", scopes=frozenset({"notes:write"})))

    decision = world.ask("POST /echo", (b"cookie", b"s=1"), *headers)

    assert (decision.answer is None) == passes
    assert world.ask("POST /echo", (b"x-own", b"s=1"), (b"origin", b"https://evil.net")).answer is None
    world.runtime.close()


@pytest.mark.parametrize(
    ("origin", "passes"), [(None, True), (b"https://app.example.com", True), (b"https://evil.net", False)]
)
def test_a_page_may_log_in_only_its_own_user(world: World, origin: bytes | None, passes: bool) -> None:
    headers = () if origin is None else ((b"origin", origin),)

    assert (world.ask("POST /login", *headers).answer is None) == passes


@pytest.mark.parametrize(
    ("origin", "passes"), [(None, True), (b"https://app.example.com", True), (b"https://evil.net", False)]
)
def test_a_page_opens_a_socket_only_where_it_is_listed(world: World, origin: bytes | None, passes: bool) -> None:
    headers = () if origin is None else ((b"origin", origin),)

    assert (world.ask("WS /live", world.key(), *headers).answer is None) == passes


def test_behind_a_proxy_the_client_is_who_it_says_for_each_request_anew() -> None:
    world = World(POLICY + '\n[forwarded]\nheader = "x-forwarded-for"\npeers = ["10.0.0.0/8"]\n')
    key = world.key()
    for _ in range(5):
        for client in (b"198.51.100.1", b"198.51.100.2"):
            decision = world.ask("GET /plain", key, (b"x-forwarded-for", client), peer="10.0.0.1")
            assert decision.address.encode() == client
    world.runtime.close()


@pytest.mark.parametrize(("environment", "served"), [("development", True), ("staging", False)])
def test_the_host_of_tests_is_served_in_development_alone(
    monkeypatch: pytest.MonkeyPatch, environment: str, served: bool
) -> None:
    monkeypatch.setenv("ROOT", sha256(b"of this test").hexdigest())
    world = World(POLICY + '\n[environments.staging]\nsecrets = { root = "env:ROOT" }\n', environment=environment)

    assert (world.ask("GET /free", (b"host", b"testserver")).answer is None) == served
    assert world.ask("GET /free").answer is None
    world.runtime.close()


def test_a_fault_of_our_own_is_a_refusal_without_a_trace(world: World) -> None:
    class Broken(_Says):
        def find(self, request: object) -> Any:
            raise ValueError("a secret in the message")

    before = world.guard.force
    world.guard.force = InForce(before.plans, {"key": Broken(None)}, before.trusted)  # type: ignore[dict-item]  # only what is asked of it
    decision: Decision = world.ask("GET /plain")
    world.guard.force = before

    assert decision.answer is not None
    assert decision.answer.status == 500
    assert b"secret" not in decision.answer.body


_HEAD = 4 * 1024 - len(b"hostapi.example.com") - len(b"x")
"""Bytes of a field `x` that fill the head to its cap."""


@pytest.mark.parametrize(
    ("target", "headers", "query", "code"),
    [
        ("GET /" + "n" * 127, (), b"", "route_unknown"),
        ("GET /" + "n" * 128, (), b"", "target_too_long"),
        ("GET /free", (), b"q" * 64, ""),
        ("GET /free", (), b"q" * 65, "target_too_long"),
        ("GET /free", ((b"x", b"y" * _HEAD),), b"", ""),
        ("GET /free", ((b"x", b"y" * (_HEAD + 1)),), b"", "headers_too_large"),
        ("GET /free", tuple((b"x%d" % n, b"") for n in range(19)), b"", ""),
        ("GET /free", tuple((b"x%d" % n, b"") for n in range(20)), b"", "headers_too_large"),
    ],
)
def test_a_cap_is_the_most_that_passes(
    world: World, target: str, headers: tuple[Header, ...], query: bytes, code: str
) -> None:
    """From both sides, at first sight and when the route is remembered."""
    for _ in range(2):
        refusal = world.ask(target, *headers, query=query).refusal

        assert (refusal.code if refusal else "") == code


def test_a_key_that_passed_was_used(world: World) -> None:
    """What is recalled counts as well: an old secret would else look safe to drop while a program lives by it."""
    key = world.key("notes:read")
    passed = [world.ask("GET /twice", key).answer is None for _ in range(3)]

    assert passed == [True, True, False]
    assert [*world.runtime.driven_side.api_keys.uses._counts.values()] == [2]
