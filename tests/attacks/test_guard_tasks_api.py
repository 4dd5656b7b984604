"""The tasks API and the OWASP API list: fields that are not the caller's to set, ids that tell, pages without end."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from tests.journeys.places import Answer
from tests.journeys.test_tasks import HOST, JSON, PASSWORD, Client, ada, anyone, bob

__all__ = ["ada", "anyone", "bob"]

FOREIGN: list[dict[str, Any]] = [
    {"owner": "user:bob"},
    {"owner_id": 2},
    {"user": "bob"},
    {"user_id": "bob"},
    {"id": 1},
    {"created_at": "2020-01-01T00:00:00Z"},
    {"__class__": "Task"},
    {"__proto__": {"owner": "user:bob"}},
    {"constructor": {"prototype": {}}},
    {"tenant": "other"},
    {"is_admin": True},
    {"scopes": ["admin:*"]},
    {"Title": "x"},
    {"title ": "x"},
    {"": "x"},
]
ENDLESS: list[dict[str, str]] = [
    {"limit": "101"},
    {"limit": "1000000000"},
    {"limit": "-1"},
    {"limit": "0"},
    {"limit": ""},
    {"limit": "1e2"},
    {"limit": "100.5"},
    {"limit": "inf"},
    {"limit": "null"},
    {"limit": "9" * 5000},
    {"page": "0"},
    {"page": "-1"},
    {"page": "1000001"},
    {"page": "9223372036854775808"},
    {"page": "9" * 400},
]
TOO_LONG: list[tuple[list[tuple[str, str]], str, dict[str, str], int, str]] = [
    ([("x-a", "x" * 33_000)], "/api/tasks", {}, 431, "headers_too_large"),
    ([(f"x-{n}", "x") for n in range(101)], "/api/tasks", {}, 431, "headers_too_large"),
    ([("x-a", "x")] * 101, "/api/tasks", {}, 431, "headers_too_large"),
    ([("cookie", "a=b; " * 7_000)], "/api/tasks", {}, 431, "headers_too_large"),
    ([("authorization", "Bearer " + "a" * 33_000)], "/api/tasks", {}, 431, "headers_too_large"),
    ([], "/api/tasks/" + "1" * 4_200, {}, 414, "target_too_long"),
    ([], "/" + "a/" * 2_500, {}, 414, "target_too_long"),
    ([], "/api/tasks", {"q": "x" * 9_000}, 414, "target_too_long"),
    ([], "/api/tasks/" + "%41" * 1_400, {}, 414, "target_too_long"),
]


def _seen(answer: Answer) -> tuple[Any, ...]:
    """Everything of an answer that may not depend on whether the thing is there."""
    body = {name: value for name, value in json.loads(answer.body or b"{}").items() if name != "correlation"}
    head = sorted((name, value) for name, value in answer.headers if name not in ("x-request-id", "ratelimit"))
    return answer.status, body, [line for line in head if line[0] != "content-length"]


def test_a_field_that_is_not_the_callers_to_set_is_refused(ada: Client, bob: Client) -> None:
    """Mass assignment, OWASP API3:2023: refused, not ignored, and nothing has changed."""
    made = ada("POST", "/api/tasks", {"title": "Hers"}).json
    path = f"/api/tasks/{made['id']}"

    for field, (method, where) in product(FOREIGN, (("POST", "/api/tasks"), ("PUT", path), ("PATCH", path))):
        answer = ada(method, where, {"title": "x", **field})
        assert (answer.status, answer.code) == (422, "body_invalid"), (field, method)
    assert ada("GET", "/api/tasks").json["tasks"] == [made]
    assert bob("GET", "/api/tasks").json["tasks"] == []


@pytest.mark.parametrize("field", [{"scopes": ["admin:*"]}, {"is_admin": True}, {"id": "admin"}, {"verified": True}])
def test_an_account_gives_itself_nothing(anyone: Client, field: dict[str, Any]) -> None:
    person = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}

    answer = anyone("POST", "/api/auth/register", {**person, **field})

    assert (answer.status, answer.code) == (422, "body_invalid")
    assert anyone("POST", "/api/auth/login", {"login": "eve", "password": PASSWORD}).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_an_id_tells_nothing_about_whether_it_is_used(ada: Client, bob: Client, method: str) -> None:
    """Another's, a deleted one, one to come: the same status, words and fields (OWASP API1:2023)."""
    theirs = ada("POST", "/api/tasks", {"title": "Hers"}).json["id"]
    gone = ada("POST", "/api/tasks", {"title": "Gone"}).json["id"]
    ada("DELETE", f"/api/tasks/{gone}")
    value = {"title": "x"} if method in ("PUT", "PATCH") else None

    answers = [bob(method, f"/api/tasks/{number}", value) for number in (theirs, gone, 999_999, 2**63 - 1)]

    assert [_seen(answer) for answer in answers[1:]] == [_seen(answers[0])] * 3
    assert answers[0].status == 404
    assert ada("GET", f"/api/tasks/{theirs}").status == 200


def test_a_strangers_answer_does_not_depend_on_the_id(anyone: Client, ada: Client) -> None:
    """Nor on the method, nor on whether there is any task at all."""
    made = ada("POST", "/api/tasks", {"title": "Hers"}).json

    answers = [anyone("GET", f"/api/tasks/{number}") for number in (made["id"], 999_999)]

    assert _seen(answers[0]) == _seen(answers[1])
    assert answers[0].status == 401


def test_a_body_is_judged_only_for_whoever_may_write(anyone: Client, ada: Client, bob: Client) -> None:
    """Else the errors of a bad body tell a stranger what the fields are."""
    made = ada("POST", "/api/tasks", {"title": "Hers"}).json

    assert anyone("POST", "/api/tasks", {"title": ""}).status == 401
    reader = anyone.with_key(ada("POST", "/api/keys", {"name": "r", "scopes": ["tasks:read"]}).json["key"])
    assert reader("POST", "/api/tasks", {"title": ""}).status == 403
    theirs, missing = (bob("PATCH", f"/api/tasks/{number}", {"title": ""}) for number in (made["id"], 999_999))
    assert _seen(theirs) == _seen(missing)


def test_a_page_without_end_is_refused(ada: Client) -> None:
    """OWASP API4:2023: neither a page nor an offset of any length."""
    for query in ENDLESS:
        answer = ada("GET", "/api/tasks", **query)
        assert answer.status == 422, query
        assert len(answer.body) < 4_096


def test_the_last_page_there_can_be_is_empty(ada: Client) -> None:
    """The bound from the other side."""
    answer = ada("GET", "/api/tasks", page="1000000", limit="100")

    assert (answer.status, answer.json["tasks"]) == (200, [])


def test_what_is_too_long_is_refused_unread(ada: Client) -> None:
    """Before a credential is looked at; RFC 6585 section 5, RFC 9110 section 15.5.15."""
    for (headers, path, query, status, code), caller in product(TOO_LONG, ((), ada.headers)):
        answer = Client(ada.place, *caller, *headers)("GET", path, **query)

        assert (answer.status, answer.code) == (status, code), (path[:20], headers[:1])
        assert len(answer.body) < 1_024


def test_a_body_is_refused_by_its_length_alone(ada: Client) -> None:
    """Not a byte of it is read."""
    fields = (HOST, *ada.headers, JSON, ("content-length", str(2**21)))

    answer = ada.place.call("POST", "/api/tasks", fields, b"{")

    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize("depth", [33, 10_000, 200_000])
def test_a_deep_body_is_refused(ada: Client, depth: int) -> None:
    """A parser that calls itself runs out of stack."""
    body = b'{"title": ' + b"[" * depth + b"]" * depth + b"}"

    answer = ada.place.call("POST", "/api/tasks", (HOST, *ada.headers, JSON), body)

    assert (answer.status, answer.code) == (400, "body_malformed")
