"""A busy service gives strangers and bulk less of their limits, and says that it is not their fault."""

from __future__ import annotations

import pytest

from garrison.guard.decision import Decision
from garrison.limits.headers import QUOTA_EXCEEDED, REDUCED_CAPACITY
from garrison.model.http.request import Header
from tests.guard.world import World

POLICY = """
service = "notes"
hosts = ["api.example.com"]
[defaults]
limit = "at most 20 in 1h per principal"
[routes]
"GET /open" = { public = true, limit = "at most 20 in 1h per address" }
"GET /known" = { scopes = ["notes:read"] }
"GET /walled" = { scopes = ["notes:read"], limit = ["at most 20 in 1h per address", "100/s per principal"] }
"GET /export" = { scopes = ["notes:read"], priority = "bulk" }
"GET /health" = { public = true, priority = "critical", limit = "at most 20 in 1h per address" }
"POST /login" = { public = true, priority = "login", limit = "at most 20 in 1h per address" }
"""


def played(target: str, load: float, times: int = 30) -> tuple[World, list[Decision]]:
    """Ask as ada, who is known where it matters."""
    world = World(POLICY)
    world.guard.load = load
    who: tuple[Header, ...] = () if target.split("/")[1] in {"open", "health", "login"} else (world.key("notes:read"),)
    return world, [world.ask(target, *who) for _ in range(times)]


@pytest.mark.parametrize("target", ["GET /open", "GET /export"])
@pytest.mark.parametrize(("load", "passes"), [(0, 20), (0.7, 20), (0.85, 10), (1, 2)])
def test_strangers_and_bulk_get_less_the_busier_it_is(target: str, load: float, passes: int) -> None:
    _, decisions = played(target, load)

    assert [decision.refusal is None for decision in decisions] == [True] * passes + [False] * (30 - passes)


@pytest.mark.parametrize("target", ["GET /known", "GET /walled", "GET /health", "POST /login"])
def test_who_goes_first_gets_what_was_promised(target: str) -> None:
    """Whoever is known, what must always answer, and logins: a flood of strangers takes nothing from them."""
    _, decisions = played(target, 1.0)

    assert sum(decision.refusal is None for decision in decisions) == 20


def test_it_is_told_apart_from_a_limit_that_is_spent() -> None:
    """503 and come again soon, as long as some is left; 429 when nothing is."""
    world, decisions = played("GET /open", 0.95)
    reduced = decisions[-1].refusal
    world.guard.load = 0.0
    last = [world.ask("GET /open") for _ in range(10)][-1].refusal

    assert reduced is not None
    assert (reduced.status, reduced.type, reduced.code) == (503, REDUCED_CAPACITY, "overloaded")
    assert last is not None
    assert (last.status, last.type) == (429, QUOTA_EXCEEDED)


def test_a_load_that_comes_and_goes_gives_nobody_more_than_the_limit() -> None:
    world, decisions = played("GET /open", 0.9, 4)
    for load in (0.0, 1.0, 0.0, 0.8, 0.0):
        world.guard.load = load
        decisions += [world.ask("GET /open") for _ in range(10)]

    assert sum(decision.refusal is None for decision in decisions) <= 20
    assert sum(decision.refusal is None for decision in decisions) >= 10
