"""The small examples: the same policy, the same answers, in Flask and in Django."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.cli.serving.world import Served, served
from tests.journeys.places import Answer, Place, WsgiPlace

ROOT = Path(__file__).parents[2]
HOST = ("host", "localhost:8000")
JSON = ("content-type", "application/json")


class Notes:
    """One of the examples."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._tokens: dict[str, str] = {}

    def call(self, method: str, path: str, value: Any = None, token: str = "") -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        headers = [HOST, JSON] + ([("authorization", f"Bearer {token}")] if token else [])
        return self.place.call(method, path, headers, body)

    def token(self, name: str) -> str:
        if name not in self._tokens:
            self._tokens[name] = self._register(name)
        return self._tokens[name]

    def _register(self, name: str) -> str:
        person = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
        answer = self.call("POST", "/auth/register", person)
        assert answer.status == 201, answer
        return str(answer.json["token"])


class _Served:
    """An example in a process of its own: Django has one configuration a process."""

    def __init__(self, server: Served) -> None:
        self._server = server

    def call(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        peer: str = "",
        **query: str,
    ) -> Answer:
        answer = self._server.ask(method, path, body or None, **dict(headers))
        return Answer(answer.status, list(answer.headers.items()), answer.body)


@contextmanager
def _flask() -> Iterator[Place]:
    yield WsgiPlace(import_module("examples.flask_notes.app").app)


@contextmanager
def _django() -> Iterator[Place]:
    with served("examples.django_notes.app:application") as server:
        yield _Served(server)


@pytest.fixture(scope="module", params=[_flask, _django], ids=["flask", "django"])
def notes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notes]:
    """Each example in turn, in development."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("notes"))
        patch.setenv("GARRISON_ENV", "development")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])))
        with request.param() as place:
            yield Notes(place)


def test_a_note_is_written_and_read_by_its_owner_alone(notes: Notes) -> None:
    ada, bob = notes.token("ada"), notes.token("bob")

    made = notes.call("POST", "/notes", {"text": "mine"}, ada)
    assert made.status == 201
    place = f"/notes/{made.json['id']}"

    assert notes.call("GET", place, token=ada).json == {"text": "mine"}
    theirs, missing = notes.call("GET", place, token=bob), notes.call("GET", "/notes/999", token=bob)
    assert theirs.status == missing.status == 404
    assert {**theirs.json, "correlation": ""} == {**missing.json, "correlation": ""}
    assert notes.call("GET", place).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/health", 405), ("GET", "/notes/x", 404), ("GET", "/health", 200)],
)
def test_what_the_policy_does_not_name_is_not_there(notes: Notes, method: str, path: str, status: int) -> None:
    answer = notes.call(method, path)

    assert answer.status == status
    assert answer.header("content-security-policy")


def test_a_body_is_strict_json_before_the_view_sees_it(notes: Notes) -> None:
    eve = notes.token("eve")

    answer = notes.place.call(
        "POST", "/notes", [HOST, JSON, ("authorization", f"Bearer {eve}")], b'{"text": "a", "text": "b"}'
    )

    assert (answer.status, answer.code) == (400, "body_malformed")


@pytest.mark.parametrize("note", [{}, {"text": ""}, {"text": 1}, {"text": "x", "owner": "user:bob"}, [], "x", None])
def test_a_body_that_does_not_fit_is_refused_with_every_bad_field(notes: Notes, note: Any) -> None:
    eve = notes.token("eve")

    answer = notes.place.call(
        "POST", "/notes", [HOST, JSON, ("authorization", f"Bearer {eve}")], json.dumps(note).encode()
    )

    assert (answer.status, answer.code) == (422, "body_invalid")
    assert answer.json["errors"]
