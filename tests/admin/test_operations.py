"""Figures and fitness, asked for like anything else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from garrison.guard.drive import drive
from garrison.model.http.request import Header
from garrison.model.http.response import Response
from tests.guard.world import World, asked

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[operations]
metrics = "/metrics"
ready = "/ready"

[routes]
"GET /notes" = { scopes = ["notes:read"], limit = "3/m per principal" }
"GET /watched" = { scopes = ["notes:read"], mode = "observe" }
"""


@pytest.fixture
def world() -> World:
    """A service that operators may look at."""
    return World(POLICY)


def answer(world: World, target: str, *headers: Header) -> Response:
    """Ask an endpoint of Garrison's own."""
    request = asked(target, *headers)
    decision = world.decide(request)
    if decision.answer is None:
        drive(world.guard.take_body(request, decision, b""))
    assert decision.answer is not None
    return decision.answer


def figures(world: World) -> dict[tuple[str, ...], float]:
    """Read every figure: name and labels' values -> value."""
    text = answer(world, "GET /metrics", world.key("admin:metrics")).body.decode()
    families = list(text_string_to_metric_families(text))
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def told(world: World, *headers: Header) -> tuple[int, Any]:
    """Give status and words of readiness."""
    response = answer(world, "GET /ready", *headers)
    return response.status, msgspec.json.decode(response.body)


def test_what_was_judged_and_what_was_refused_is_counted(world: World) -> None:
    key, poor = world.key("notes:read"), world.key("notes:write")
    before = figures(world)["garrison_requests_total",]
    for header in (poor, key, key, key):
        world.ask("GET /notes", header)
    world.ask("GET /watched", poor)
    world.ask("GET /elsewhere", key)

    found = figures(world)

    # Six, and the two questions for the figures, of which the first was not yet told of itself.
    assert found["garrison_requests_total",] - before == 7
    refused = {name[1:]: value for name, value in found.items() if name[0] == "garrison_refusals_total"}
    assert refused == {
        ("limit_exceeded", "GET /notes", "enforce"): 1,
        ("scope_missing", "GET /notes", "enforce"): 1,
        ("scope_missing", "GET /watched", "observe"): 1,
        ("route_unknown", "", "enforce"): 1,
    }
    assert found["garrison_limit_denials_total", "3/m/principal", "enforce"] == 1
    assert found["garrison_store_up", "records"] == found["garrison_store_up", "counters"] == 1


def test_a_counter_only_grows_however_often_it_is_asked_for(world: World) -> None:
    told = [figures(world)["garrison_requests_total",] for _ in range(5)]

    assert told == sorted(set(told))
    assert told[-1] - told[0] == 4


def test_no_caller_can_make_up_a_series(world: World) -> None:
    """A collector keeps every series it ever saw: names chosen by strangers would fill it."""
    before = set(figures(world))
    for number in range(50):
        world.ask(f"GET /made-up/{number}", (b"user-agent", b"%d" % number))
        world.ask("GET /notes", (b"x-api-key", b"notes_live_%d" % number), peer=f"192.0.2.{number}")

    assert len(set(figures(world)) - before) <= 3


@pytest.mark.parametrize("scopes", [(), ("notes:read",), ("admin:health",)])
def test_figures_are_for_whom_the_policy_lets(world: World, scopes: tuple[str, ...]) -> None:
    headers = (world.key(*scopes),) if scopes else ()

    assert answer(world, "GET /metrics", *headers).status == (403 if scopes else 401)


def test_anybody_may_ask_whether_requests_are_welcome_and_learns_no_more(world: World) -> None:
    assert told(world) == (200, {"status": "ready"})
    assert told(world, world.key("notes:read")) == (200, {"status": "ready"})
    assert told(world, world.key("admin:*")) == (
        200,
        {"status": "ready", "stores": {"records": "ok", "counters": "ok"}},
    )


def test_fitness_is_not_counted(world: World) -> None:
    """A count on a server that is gone would refuse the question, and take all processes out of service."""
    assert {told(world)[0] for _ in range(500)} == {200}


def test_a_process_that_ends_sends_requests_elsewhere(world: World) -> None:
    world.runtime.draining = True

    assert told(world) == (503, {"status": "draining"})


def test_what_has_no_place_is_not_there() -> None:
    world = World(POLICY.replace('"/metrics"', '""').replace('"/ready"', '""'))

    assert {answer(world, f"GET /{name}").status for name in ("metrics", "ready")} == {404}
