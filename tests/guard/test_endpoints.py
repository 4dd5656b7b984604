"""Garrison's own endpoints run behind the same path, and get a body only when it is what they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.json import decode

from garrison.errors import StoreError
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.guard.endpoints import run_endpoint
from garrison.model.http.endpoint import Call, Endpoint
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.request import Header, Request
from garrison.model.http.response import Response
from garrison.policy.body import BodySchema
from garrison.policy.table import Mounted
from tests.guard.world import World, asked

JSON: Header = (b"content-type", b"application/json")


class _Wish(msgspec.Struct):
    number: int


async def _told(call: Call, service: Any) -> Response:
    return Response(200, (), f"{call.body and call.body.number} {service} {call.principal.subject}".encode())


async def _refused(call: Call, service: Any) -> Refusal:
    return refuse("conflict")


async def _fails(call: Call, service: Any) -> Response:
    raise StoreError("gone")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.runtime.close()


def _mounted(run: Any = _told, **facts: Any) -> Mounted:
    return Mounted(Endpoint(name="x", method="POST", path="/x", run=run, **facts), "service")


def _asked(world: World, mounted: Mounted, *headers: Header) -> tuple[Request, Decision]:
    request = asked("POST /echo", world.key("notes:write"), *headers)
    decision = world.decide(request)
    decision.plan = msgspec.structs.replace(decision.plan, endpoint=mounted)
    return request, decision


@pytest.mark.parametrize(
    ("facts", "headers", "body", "told"),
    [
        ({}, (), b"", "None service ada"),
        ({}, (), b"ignored", "None service ada"),
        ({"body": _Wish}, (JSON,), b'{"number": 7}', "7 service ada"),
        ({"body": _Wish, "bodiless": True}, (), b"", "None service ada"),
    ],
)
def test_an_endpoint_is_told_who_asks_for_what(
    world: World, facts: dict[str, Any], headers: tuple[Header, ...], body: bytes, told: str
) -> None:
    request, decision = _asked(world, _mounted(**facts), *headers)
    assert world.guard.judges_body(request, decision)

    drive(world.guard.take_body(request, decision, body))

    assert decision.answer is not None
    assert (decision.answer.status, decision.answer.body.decode()) == (200, told)


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ((), b'{"number": 7}', "body_type"),
        ((JSON,), b'{"number": 7', "body_malformed"),
        ((JSON,), b'{"number": "7"}', "body_invalid"),
        ((JSON,), b"", "body_malformed"),
        ((JSON,), refuse("body_too_large"), "body_too_large"),
    ],
)
def test_a_body_that_does_not_fit_never_reaches_it(
    world: World, headers: tuple[Header, ...], body: bytes | Refusal, code: str
) -> None:
    mounted = _mounted(_fails, body=_Wish)
    request, decision = _asked(world, mounted, *headers)
    result = drive(run_endpoint(mounted, request, decision, body, 0))

    assert isinstance(result, Refusal)
    assert result.code == code
    if code == "body_invalid":
        assert [(error["path"], error["code"]) for error in result.members["errors"]] == [("number", "type")]


@pytest.mark.parametrize(("run", "status", "code"), [(_refused, 409, "conflict"), (_fails, 503, "store_unavailable")])
def test_what_an_endpoint_refuses_is_answered_and_recorded(world: World, run: Any, status: int, code: str) -> None:
    request, decision = _asked(world, _mounted(run))
    world.recorded()

    drive(world.guard.take_body(request, decision, b""))

    assert decision.answer is not None
    assert (decision.answer.status, decode(decision.answer.body)["code"]) == (status, code)
    assert len(world.recorded()) == 1


def test_a_body_that_was_never_whole_ends_a_route_without_an_endpoint(world: World) -> None:
    request = asked("POST /watched", world.key())
    decision = world.decide(request)

    drive(world.guard.take_body(request, decision, refuse("body_too_slow")))

    assert decision.answer is not None
    assert decision.answer.status == 408


def test_a_body_must_fit_the_schema_of_its_route(world: World) -> None:
    schema = BodySchema(b'{"type": "object", "required": ["title"]}')
    request = asked("POST /echo", world.key("notes:write"), JSON)
    for body, status in ((b'{"title": 1}', 0), (b"{}", 422)):
        decision = world.decide(request)
        decision.plan = msgspec.structs.replace(decision.plan, body=schema)
        drive(world.guard.take_body(request, decision, body))
        assert (decision.answer.status if decision.answer else 0) == status
