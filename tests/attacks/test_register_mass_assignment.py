"""Attack: register with fields that nobody asked for, and become an administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.accounts.api import Api
from tests.accounts.world import World

MORE: list[dict[str, Any]] = [
    {"scopes": ["admin:*"]},
    {"admin": True},
    {"is_admin": True},
    {"role": "admin"},
    {"roles": ["admin"]},
    {"verified": True},
    {"active": True},
    {"epoch": 9},
    {"id": "root"},
    {"version": 7},
    {"devices": []},
    {"__proto__": {"admin": True}},
    {"constructor": {}},
    {"user": {"scopes": ["admin:*"]}},
]


@pytest.mark.parametrize("more", MORE)
def test_an_unknown_field_is_refused_by_name(more: dict[str, Any]) -> None:
    world = World()

    answer = world.register(**more)

    assert answer.status == 422
    assert answer.refusal is not None
    name = next(iter(more))
    assert [(error["path"], error["code"]) for error in answer.refusal.members["errors"]] == [(name, "unknown")]
    assert world.events() == []


@pytest.mark.parametrize("more", MORE)
def test_nor_does_a_login_take_any(more: dict[str, Any]) -> None:
    world = World()
    world.register()

    assert world.call("login", {"login": "ada", "password": "purple mattress 91", **more}).status == 422


def test_whoever_registers_gets_what_the_policy_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    api = Api(scopes=("tasks:read",))

    reply = api.register("ada")

    assert reply.json["user"]["scopes"] == ["tasks:read"]
    assert api.passes(reply.json["token"])
    assert api.send("GET", "/me", token=reply.json["token"]).json["scopes"] == ["tasks:read"]
