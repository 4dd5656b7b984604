"""Whoever steals a key uses it to make another, and outlives its end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from garrison.credentials.key_order import NewKey
from garrison.guard.drive import drive
from garrison.guard.steps.permit import permit
from garrison.model.http.refusal import Refusal
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from tests.credentials.world import ADA, START, World

Call = Callable[[World, Principal, str], Coroutine[Any, Any, Any]]

CALLS: dict[str, Call] = {
    "create": lambda world, thief, id: world.service.create(NewKey(name="mine"), world.by(thief)),
    "list": lambda world, thief, id: world.service.list(world.by(thief)),
    "show": lambda world, thief, id: world.service.show(id, world.by(thief)),
    "rotate": lambda world, thief, id: world.service.rotate(id, world.by(thief)),
    "drop_old": lambda world, thief, id: world.service.drop_old(id, world.by(thief)),
    "revoke": lambda world, thief, id: world.service.revoke(id, world.by(thief)),
    "quarantine": lambda world, thief, id: world.service.quarantine(id, world.by(thief)),
    "release": lambda world, thief, id: world.service.release(id, world.by(thief)),
    "safe_to_drop": lambda world, thief, id: world.service.safe_to_drop(id, world.by(thief)),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_key_neither_makes_nor_sees_nor_changes_keys(call: str) -> None:
    """Not even its own: a rotated secret would be the thief's alone."""
    world = World()
    issued = world.make(ADA, scopes=("notes:*",))
    thief = world.ask(issued.text)
    assert isinstance(thief, Principal)
    assert thief.id == ADA.id

    refusal = drive(CALLS[call](world, thief, issued.record.id))

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("credential_restricted", "key_makes_key")


@pytest.mark.parametrize(
    "plan", [Plan(route="r", template="/", fresh=1), Plan(route="r", template="/", methods=("pwd",))]
)
def test_a_key_never_satisfies_a_route_that_asks_for_a_person(plan: Plan) -> None:
    world = World()
    thief = world.ask(world.make(ADA).text)
    assert isinstance(thief, Principal)

    for now in (0, 1, START):
        assert permit(plan, thief, now) is not None


def test_the_operators_name_does_not_make_an_operator() -> None:
    """An issuer could call a subject anything."""
    world = World()
    eve = Principal(kind="operator", subject="console", scopes=frozenset(("notes:read",)))

    refusal = drive(world.service.create(NewKey(name="mine", scopes=("admin:*",)), world.by(eve)))

    assert isinstance(refusal, Refusal)
