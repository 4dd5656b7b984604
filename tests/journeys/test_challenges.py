"""Every refusal of the tasks API that a credential would mend names exactly the schemes its route takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module, reload
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.places import Answer, AsgiPlace
from tests.journeys.test_tasks import Client, _person

KEY, TOKEN = 'ApiKey realm="tasks"', 'Bearer realm="tasks"'
INVALID = f'{TOKEN}, error="invalid_token"'

CALLS = [
    ("GET", "/api/tasks", [KEY, TOKEN]),
    ("POST", "/api/tasks", [KEY, TOKEN]),
    ("GET", "/api/tasks/1", [KEY, TOKEN]),
    ("PUT", "/api/tasks/1", [KEY, TOKEN]),
    ("PATCH", "/api/tasks/1", [KEY, TOKEN]),
    ("DELETE", "/api/tasks/1", [KEY, TOKEN]),
    ("GET", "/api/me", [KEY, TOKEN]),
    ("GET", "/metrics", [KEY, TOKEN]),
    ("GET", "/api/keys", [TOKEN]),
    ("POST", "/api/keys", [TOKEN]),
    ("POST", "/api/keys/1/rotate", [TOKEN]),
    ("DELETE", "/api/keys/1", [TOKEN]),
    ("POST", "/api/auth/login", [TOKEN]),
    ("POST", "/api/auth/refresh", [INVALID]),
    ("POST", "/api/auth/logout", [TOKEN]),
]
"""Everything that answers 401 to a caller who is nobody, and what it asks for then."""

BODIES = {
    "/api/auth/login": {"login": "nobody", "password": "nothing at all"},
    "/api/auth/refresh": {"refresh_token": "x"},
}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner) -> Iterator[Any]:
    """The application in an empty folder, in development."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    module = reload(import_module("examples.tasks.main"))
    yield module.app
    module.app.state.garrison.close()


@pytest.fixture
def anyone(api: Any, runner: asyncio.Runner) -> Client:
    """A caller who presents nothing."""
    return Client(AsgiPlace(api, runner))


def told(answer: Answer) -> list[str]:
    """Give the challenges of an answer, a line each."""
    return [value for name, value in answer.headers if name.lower() == "www-authenticate"]


def test_every_route_is_asked_here(api: Any, anyone: Client) -> None:
    """But those that take anybody and refuse nobody for who they are."""
    anyone("GET", "/api/health")
    plans = api.state.garrison.awaited.force.plans
    asked = {plans.find(method, path).plan.route for method, path, _ in CALLS}

    assert {plan.route for plan in plans.listed} - asked == {
        "GET /api/health",
        "GET /docs",
        "GET /docs/{path:path}",
        "GET /openapi.json",
        "GET /ready",
        "POST /api/auth/register",
    }


@pytest.mark.parametrize(("method", "path", "challenges"), CALLS)
def test_who_is_nobody_is_told_what_to_present(anyone: Client, method: str, path: str, challenges: list[str]) -> None:
    answer = anyone(method, path, BODIES.get(path))

    assert (answer.status, told(answer)) == (401, challenges)


@pytest.mark.parametrize(("method", "path", "challenges"), [call for call in CALLS if "auth" not in call[1]])
def test_who_presents_a_wrong_token_is_told_so(anyone: Client, method: str, path: str, challenges: list[str]) -> None:
    answer = anyone.with_token("a.b.c")(method, path)

    assert (answer.status, told(answer)) == (401, [INVALID if line is TOKEN else line for line in challenges])


def test_a_key_that_may_too_little_is_told_what_would_do(anyone: Client) -> None:
    ada = anyone.with_token(anyone("POST", "/api/auth/register", _person("ada")).json["token"])
    made = ada("POST", "/api/keys", {"name": "reader", "scopes": ["tasks:read"]})
    reader = anyone.with_key(made.json["key"])

    lacking = [KEY, f'{TOKEN}, error="insufficient_scope", scope="tasks:write"']

    for method, path in (("POST", "/api/tasks"), *((method, "/api/tasks/1") for method in ("PUT", "PATCH", "DELETE"))):
        answer = reader(method, path, {"title": "x"})
        assert (answer.status, told(answer)) == (403, lacking)
