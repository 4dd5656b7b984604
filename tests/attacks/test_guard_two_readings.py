"""One request that two parsers read differently: duplicate members, repeated parameters, two lengths, two types.

The guard and the application must see the same thing, or what was checked is not what is done.
"""

from __future__ import annotations

import json

import pytest

from tests.journeys.places import Answer, AsgiPlace
from tests.journeys.test_tasks import HOST, JSON, Client, ada, anyone

__all__ = ["ada", "anyone"]

KINDS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json", "*/*"]
LENGTHS = [["5", "17"], ["17", "17"], ["+17"], ["-1"], ["0x11"], ["17 "], ["1e1"], ["9" * 30], ["17, 17"], ["１７"]]
QUERIES = [
    "limit=1&limit=101",
    "limit=101&limit=1",
    "limit=1&limit=1000000",
    "limit[]=1000",
    "limit=1&LIMIT=1000",
    "limit=1%26limit=1000",
    "limit=1;limit=1000",
    "limit=1&limit%5B%5D=1000",
    "limit=%31%30%31",
    "limit=101#1",
    "page=1&page=0&limit=1",
    "page=0&page=1&limit=1",
]
BODIES = [
    b'{"title": "seen", "title": "done"}',
    b'{"title": "seen", "\\u0074itle": "done"}',
    b'{"title": "seen", "t\\u0069tle": "done"}',
    b'{"title": "seen", "priority": 1, "priority": 5}',
    b'{"title": "seen", "x": {"a": 1, "a": 2}}',
    b'{"title": "seen"}{"title": "done"}',
    b'{"title": "seen"},',
    b'{"title": "seen",}',
    b"{'title': 'seen'}",
    b'{"title": "seen" /* "*/ }',
    b'{"title": "seen", "priority": 1e999}',
    b'{"title": "seen", "priority": NaN}',
    b'{"title": "seen", "priority": 0x1}',
    b'{"title": "seen", "priority": 01}',
    b'{"title": "\xff"}',
    b'{"title": "\\ud800"}',
    b'\xef\xbb\xbf{"title": "seen"}',
    '{"title": "seen"}'.encode("utf-16"),
    b"",
    b"null" * 2,
]


def _raw(
    caller: Client, body: bytes, *headers: tuple[str, str], method: str = "POST", path: str = "/api/tasks"
) -> Answer:
    return caller.place.call(method, path, (HOST, *caller.headers, *(headers or (JSON,))), body)


def _listed(caller: Client, query: str) -> Answer:
    place: AsgiPlace = caller.place
    return place._runner.run(place.send("GET", "/api/tasks", (HOST, *caller.headers), b"", "192.0.2.1", query))


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_can_be_read_in_two_ways_is_refused(ada: Client, method: str) -> None:
    """RFC 8259 section 4 leaves duplicate names to the parser: one takes the first, another the last."""
    made = ada("POST", "/api/tasks", {"title": "before"}).json
    path = "/api/tasks" if method == "POST" else f"/api/tasks/{made['id']}"

    for body in BODIES:
        answer = _raw(ada, body, method=method, path=path)
        assert (answer.status, answer.code) in ((400, "body_malformed"), (422, "body_invalid")), body
    assert ada("GET", "/api/tasks").json["tasks"] == [made]


def test_a_body_under_another_name_is_not_read_as_json(ada: Client) -> None:
    """A type the guard does not look into must not be one the application decodes."""
    for fields in ([], *([("content-type", kind)] for kind in KINDS)):
        for value in (b'{"title": "seen", "title": "done"}', b'{"title": "done"}'):
            answer = ada.place.call("POST", "/api/tasks", (HOST, *ada.headers, *fields), value)
            assert 400 <= answer.status < 500, fields
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


def test_a_body_without_a_length_is_judged_like_any_other(ada: Client) -> None:
    """Chunks are no way round the strict parser; nor is a word for them that only some servers know."""
    known, unknown = "body_malformed", "request_malformed"
    for coding, code in {"chunked": known, "Chunked": known, "x-chunked": unknown, "identity": unknown}.items():
        fields = (JSON, ("transfer-encoding", coding))
        answer = _raw(ada, b'{"title": "seen", "title": "done"}', *fields)
        assert (answer.status, answer.code) == (400, code), coding
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


def test_two_types_are_not_one_for_each(ada: Client) -> None:
    """The guard reads one line, the framework perhaps the other."""
    for kinds in (("text/plain", "application/json"), ("application/json", "text/plain")):
        fields = [("content-type", kind) for kind in kinds]
        answer = _raw(ada, b'{"title": "seen", "title": "done"}', *fields)
        assert (answer.status, answer.code) == (400, "request_malformed")
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


def test_a_length_that_is_none_is_refused(ada: Client) -> None:
    """Request smuggling begins with two of them (RFC 9112 section 6.3)."""
    for lengths in LENGTHS:
        fields = [JSON, *(("content-length", length.encode().decode("latin-1")) for length in lengths)]
        answer = _raw(ada, b'{"title": "seen"}', *fields)
        assert (answer.status, answer.code) == (400, "request_malformed"), lengths
    assert ada("GET", "/api/tasks").json["pagination"]["total"] == 0


def test_repeated_parameters_never_get_more_than_one_could(ada: Client) -> None:
    """Whichever of them counts, it is the checked one: HTTP parameter pollution buys no longer page."""
    for number in range(3):
        ada("POST", "/api/tasks", {"title": str(number)})

    answers = {query: _listed(ada, query) for query in QUERIES}

    assert {answer.status for answer in answers.values()} == {200, 422}
    for query, answer in answers.items():
        if answer.status == 200:
            shown = answer.json["pagination"]
            assert 1 <= shown["limit"] <= 100, query
            assert shown["page"] >= 1
            assert len(answer.json["tasks"]) <= shown["limit"]


def test_a_good_body_is_what_is_stored(ada: Client) -> None:
    """Else everything above would prove nothing."""
    body = json.dumps({"title": "T\u00e9st \U0001f600", "priority": 4.0})

    answer = _raw(ada, body.encode())

    assert (answer.status, answer.json["title"], answer.json["priority"]) == (201, "T\u00e9st \U0001f600", 4)
