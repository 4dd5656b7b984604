"""The tasks API from its first start to its last refusal: every row of its table, with token and with key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from importlib import import_module, reload
from pathlib import Path
from typing import Any

import pytest

from examples.tasks.store import TaskStore
from garrison import load
from tests.journeys.places import Answer, AsgiPlace

HOST = ("host", "localhost:8000")
JSON = ("content-type", "application/json")
PASSWORD = "correct horse battery"


class Client:
    """One caller: remembers its token or key."""

    def __init__(self, place: AsgiPlace, *headers: tuple[str, str], peer: str = "192.0.2.1") -> None:
        self.place = place
        self.headers = headers
        self.peer = peer

    def __call__(self, method: str, path: str, value: Any = None, **query: str) -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        headers = (HOST, *self.headers, *((JSON,) if body else ()))
        return self.place.call(method, path, headers, body, self.peer, **query)

    def with_token(self, token: str) -> Client:
        return Client(self.place, ("authorization", f"Bearer {token}"), peer=self.peer)

    def with_key(self, key: str) -> Client:
        return Client(self.place, ("x-api-key", key), peer=self.peer)


@pytest.fixture
def anyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner) -> Iterator[Client]:
    """The application in an empty folder, in development."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARRISON_ENV", "development")
    module = reload(import_module("examples.tasks.main"))
    yield Client(AsgiPlace(module.app, runner))
    module.app.state.garrison.close()


def _register(anyone: Client, name: str) -> Client:
    answer = anyone("POST", "/api/auth/register", _person(name))
    assert answer.status == 201, answer
    return anyone.with_token(answer.json["token"])


def _person(name: str) -> dict[str, str]:
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD}


@pytest.fixture
def ada(anyone: Client) -> Client:
    """A user who has just registered."""
    return _register(anyone, "ada")


@pytest.fixture
def bob(anyone: Client) -> Client:
    """Another one."""
    return _register(anyone, "bob")


def test_tasks_are_kept_beside_the_records_and_for_their_owner_alone(anyone: Client) -> None:
    """One backup holds both, and another user of the machine reads neither."""
    anyone("GET", "/api/health")
    module = import_module("examples.tasks.main")
    policy = Path(module.__file__ or "").with_name("garrison.toml")

    for environment in ("development", "staging", "production"):
        records = load(policy, environment).stores.records.removeprefix("sqlite:")
        assert module.place(environment).parent == Path(records).parent
    assert {file.stat().st_mode & 0o077 for file in Path("var").iterdir()} == {0}
    assert Path("var/tasks.db").exists()


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """An earlier version made it so."""
    path = tmp_path / "tasks.db"
    path.touch(0o644)

    TaskStore(path)

    assert path.stat().st_mode & 0o777 == 0o600


def test_whoever_registers_is_logged_in_and_told_who_they_are(anyone: Client) -> None:
    answer = anyone("POST", "/api/auth/register", _person("ada"))

    assert answer.status == 201
    assert {"message", "token", "refresh_token", "user"} <= set(answer.json)
    assert answer.json["user"]["username"] == "ada"
    assert PASSWORD not in answer.body.decode()
    me = anyone.with_token(answer.json["token"])("GET", "/api/me")
    assert me.status == 200
    assert me.json["username"] == "ada"


def test_a_known_name_and_a_known_address_are_409(anyone: Client, ada: Client) -> None:
    for person in (
        _person("ada"),
        {**_person("other"), "email": "ada@example.com"},
        {**_person("ADA"), "email": "x@example.com"},
    ):
        assert anyone("POST", "/api/auth/register", person).status == 409


def test_every_bad_field_of_a_registration_is_named_at_once(anyone: Client) -> None:
    answer = anyone("POST", "/api/auth/register", {"username": "a!", "email": "nobody", "password": "short"})

    assert (answer.status, answer.code) == (422, "body_invalid")
    assert {error["path"] for error in answer.json["errors"]} == {"username", "email", "password"}


def test_whoever_mistypes_five_times_can_still_register(anyone: Client) -> None:
    for number in range(5):
        assert anyone("POST", "/api/auth/register", {**_person("ada"), "password": f"short{number}"}).status == 422

    assert anyone("POST", "/api/auth/register", _person("ada")).status == 201


def test_the_sixth_registration_of_an_address_in_an_hour_is_429(anyone: Client) -> None:
    for number in range(5):
        assert anyone("POST", "/api/auth/register", _person(f"user{number}")).status == 201

    refused = anyone("POST", "/api/auth/register", _person("user5"))
    assert (refused.status, refused.code) == (429, "limit_exceeded")
    assert int(refused.header("retry-after") or 0) > 3000
    assert refused.json["violated-policies"] == ["at-most-5-in-1h"]
    other = Client(anyone.place, peer="198.51.100.9")
    assert other("POST", "/api/auth/register", _person("user5")).status == 201


@pytest.mark.parametrize("login", ["ada", "ada@example.com"])
def test_name_and_address_both_log_in(anyone: Client, ada: Client, login: str) -> None:
    answer = anyone("POST", "/api/auth/login", {"login": login, "password": PASSWORD})

    assert answer.status == 200
    assert anyone.with_token(answer.json["token"])("GET", "/api/me").status == 200


def test_a_wrong_password_and_an_unknown_name_get_one_answer(anyone: Client, ada: Client) -> None:
    wrong = anyone("POST", "/api/auth/login", {"login": "ada", "password": "wrong horse battery"})
    unknown = anyone("POST", "/api/auth/login", {"login": "eve", "password": "wrong horse battery"})

    assert wrong.status == unknown.status == 401
    assert _without_names(wrong) == _without_names(unknown)


def _without_names(answer: Answer) -> tuple[Any, ...]:
    body = {name: value for name, value in answer.json.items() if name != "correlation"}
    changing = ("x-request-id", "ratelimit", "content-length")
    return body, sorted((name, value) for name, value in answer.headers if name not in changing)


def test_five_failures_in_a_quarter_of_an_hour_are_all_there_are(anyone: Client, ada: Client) -> None:
    tries = [anyone("POST", "/api/auth/login", {"login": "ada", "password": f"wrong number {n}"}) for n in range(7)]

    assert [answer.status for answer in tries] == [401] * 5 + [429] * 2
    assert 800 < int(tries[-1].header("retry-after") or 0) <= 900


def test_a_refresh_token_is_spent_once_and_then_ends_its_family(anyone: Client) -> None:
    """RFC 9700 section 4.14.2: a token that comes twice was stolen by one of the two."""
    first = anyone("POST", "/api/auth/register", _person("ada")).json["refresh_token"]
    second = anyone("POST", "/api/auth/refresh", {"refresh_token": first})
    assert second.status == 200

    assert anyone("POST", "/api/auth/refresh", {"refresh_token": first}).status == 401
    assert anyone("POST", "/api/auth/refresh", {"refresh_token": second.json["refresh_token"]}).status == 401


def test_after_logout_neither_token_works(anyone: Client) -> None:
    made = anyone("POST", "/api/auth/register", _person("ada")).json
    me = anyone.with_token(made["token"])

    assert me("POST", "/api/auth/logout", {"refresh_token": made["refresh_token"]}).status in (200, 204)
    assert me("GET", "/api/me").status == 401
    assert anyone("POST", "/api/auth/refresh", {"refresh_token": made["refresh_token"]}).status == 401


def test_a_refresh_token_alone_logs_out_and_ends_the_access_token_too(anyone: Client) -> None:
    """Whoever comes back after the access token has ended must be able to leave."""
    made = anyone("POST", "/api/auth/register", _person("ada")).json
    refresh = {"refresh_token": made["refresh_token"]}

    assert anyone("POST", "/api/auth/logout", refresh).status == 200
    assert anyone.with_token(made["token"])("GET", "/api/me").status == 401
    assert anyone("POST", "/api/auth/refresh", refresh).status == 401
    assert anyone("POST", "/api/auth/logout", refresh).status == 401


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": ""}, {"refresh_token": "x"}, [], {"refresh_token": 1}])
def test_a_logout_of_nobody_is_refused(anyone: Client, body: object) -> None:
    assert anyone("POST", "/api/auth/logout", body).status in (401, 422)


def test_a_task_goes_from_creation_to_deletion(ada: Client) -> None:
    made = ada("POST", "/api/tasks", {"title": "Write it down"})
    assert made.status == 201
    assert made.json["status"] == "pending"
    place = f"/api/tasks/{made.json['id']}"

    assert ada("GET", place).json == made.json
    changed = ada("PATCH", place, {"status": "completed"})
    assert (changed.status, changed.json["title"], changed.json["status"]) == (200, "Write it down", "completed")
    replaced = ada("PUT", place, {"title": "Anew", "priority": 5})
    assert (replaced.json["title"], replaced.json["status"], replaced.json["priority"]) == ("Anew", "pending", 5)
    assert ada("DELETE", place).status == 200
    assert ada("GET", place).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_anothers_task_answers_exactly_like_a_missing_one(ada: Client, bob: Client, method: str) -> None:
    made = ada("POST", "/api/tasks", {"title": "Mine"}).json
    value = {"title": "Yours"} if method in ("PUT", "PATCH") else None

    theirs = bob(method, f"/api/tasks/{made['id']}", value)
    missing = bob(method, "/api/tasks/999999", value)

    assert theirs.status == missing.status == 404
    assert _without_names(theirs) == _without_names(missing)
    assert ada("GET", f"/api/tasks/{made['id']}").json == made


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"title": ""},
        {"title": "x" * 201},
        {"title": "x", "description": "y" * 1001},
        {"title": "x", "status": "done"},
        {"title": "x", "priority": 0},
        {"title": "x", "priority": 6},
        {"title": "x", "priority": True},
        {"title": "x", "priority": "3"},
        {"title": "x", "owner": "user:bob"},
        {"title": ["x"]},
        [],
        "x",
        None,
    ],
)
def test_a_bad_task_is_422_and_nothing_is_stored(ada: Client, task: Any) -> None:
    body = json.dumps(task).encode()

    answer = ada.place.call("POST", "/api/tasks", (HOST, *ada.headers, JSON), body)

    assert (answer.status, answer.code) == (422, "body_invalid")
    assert answer.json["errors"]
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


def test_lists_are_newest_first_paged_and_filtered(ada: Client, bob: Client) -> None:
    for number in range(7):
        ada("POST", "/api/tasks", {"title": str(number), "priority": 1 + number % 2})
    bob("POST", "/api/tasks", {"title": "not hers"})

    page = ada("GET", "/api/tasks", page="2", limit="3").json
    assert [task["title"] for task in page["tasks"]] == ["3", "2", "1"]
    assert page["pagination"] == {"page": 2, "limit": 3, "total": 7, "pages": 3}
    assert ada("GET", "/api/tasks", priority="2").json["pagination"]["total"] == 3
    assert ada("GET", "/api/tasks", status="completed").json["tasks"] == []


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"page": "0"}, {"status": "done"}])
def test_a_bad_page_is_422_and_the_query_is_named(ada: Client, query: dict[str, str]) -> None:
    answer = ada("GET", "/api/tasks", **query)

    assert (answer.status, answer.code, answer.json["title"]) == (422, "query_invalid", "Invalid query")
    assert [error["path"] for error in answer.json["errors"]] == [f"query.{name}" for name in query]


@pytest.mark.parametrize("number", ["1.0", "1_0", "+1", "01", " 1", "1 ", "١", "1e0", "0x1", "", "１"])
def test_a_number_is_written_in_one_way(ada: Client, number: str) -> None:
    """What two parsers may read differently is refused, as in bodies."""
    for name in ("page", "limit", "priority"):
        answer = ada("GET", "/api/tasks", **{name: number})
        assert (answer.status, answer.code) == (422, "query_invalid"), name
        assert [error["path"] for error in answer.json["errors"]] == [f"query.{name}"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("number", ["1.0", "1_0", "+1", "01", "-1", "0", "x", "9" * 30])
def test_a_bad_path_is_422_and_the_path_is_named(ada: Client, method: str, number: str) -> None:
    made = ada("POST", "/api/tasks", {"title": "first"})
    value = {"title": "x"} if method in ("PUT", "PATCH") else None

    answer = ada(method, f"/api/tasks/{number}", value)

    assert made.status == 201
    assert (answer.status, answer.code, answer.json["title"]) == (422, "path_invalid", "Invalid path")
    assert [error["path"] for error in answer.json["errors"]] == ["path.id"]


def test_a_key_does_what_its_scopes_say_and_no_more(ada: Client, anyone: Client) -> None:
    made = ada("POST", "/api/keys", {"name": "reader", "scopes": ["tasks:read"]})
    assert made.status == 201
    key = anyone.with_key(made.json["key"])

    ada("POST", "/api/tasks", {"title": "Hers"})
    assert key("GET", "/api/tasks").json["pagination"]["total"] == 1
    refused = key("POST", "/api/tasks", {"title": "x"})
    assert (refused.status, refused.code) == (403, "scope_missing")
    assert key("POST", "/api/keys", {"name": "another", "scopes": ["tasks:read"]}).status in (401, 403)
    assert key("GET", "/api/keys").status in (401, 403)


def test_a_key_is_listed_rotated_and_revoked(ada: Client, anyone: Client) -> None:
    made = ada("POST", "/api/keys", {"name": "mine", "scopes": ["tasks:read"]}).json
    listed = ada("GET", "/api/keys")
    assert listed.status == 200
    assert made["key"] not in listed.body.decode()

    rotated = ada("POST", f"/api/keys/{made['id']}/rotate")
    assert rotated.status in (200, 201)
    assert anyone.with_key(made["key"])("GET", "/api/tasks").status == 200  # until the overlap ends
    assert anyone.with_key(rotated.json["key"])("GET", "/api/tasks").status == 200
    assert ada("DELETE", f"/api/keys/{made['id']}").status in (200, 204)
    assert anyone.with_key(made["key"])("GET", "/api/tasks").status == 401
    assert anyone.with_key(rotated.json["key"])("GET", "/api/tasks").status == 401


def test_anothers_key_cannot_be_revoked(ada: Client, bob: Client, anyone: Client) -> None:
    made = ada("POST", "/api/keys", {"name": "mine", "scopes": ["tasks:read"]}).json

    assert bob("DELETE", f"/api/keys/{made['id']}").status == 404
    assert anyone.with_key(made["key"])("GET", "/api/tasks").status == 200


def test_health_tells_strangers_that_it_lives_and_nothing_more(anyone: Client, ada: Client) -> None:
    for caller in (anyone, ada):
        answer = caller("GET", "/api/health")
        assert answer.status == 200
        assert set(answer.json) == {"status", "timestamp"}


@pytest.mark.parametrize("path", ["/api/tasks", "/api/me", "/api/keys", "/api/tasks/1"])
def test_nobody_gets_in_without_a_credential(anyone: Client, path: str) -> None:
    answer = anyone("GET", path)

    assert (answer.status, answer.code) == (401, "credential_missing")
    assert answer.header("www-authenticate")


def test_what_the_policy_does_not_name_is_not_there(anyone: Client, ada: Client) -> None:
    assert ada("GET", "/api/secret").status == 404
    refused = ada("DELETE", "/api/tasks")
    assert refused.status == 405
    assert refused.header("allow") == "GET, HEAD, POST"


def test_the_page_of_the_development_server_may_call_and_no_other(anyone: Client) -> None:
    def preflight(origin: str) -> Answer:
        headers = (HOST, ("origin", origin), ("access-control-request-method", "POST"))
        return anyone.place.call("OPTIONS", "/api/tasks", headers)

    allowed = preflight("http://localhost:5173")
    assert allowed.status == 204
    assert allowed.header("access-control-allow-origin") == "http://localhost:5173"
    refused = preflight("https://evil.example")
    assert refused.status == 403
    assert refused.header("access-control-allow-origin") is None
