"""A body that the guard does not read and the handler does: JSON under another name, compressed, in other letters.

Many handlers parse a body by hand and never look at its type; what was not judged must not reach them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.journeys.places import Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[defaults]
limit = "1000/s per address"

[routes]
"POST /echo" = { public = true }
"POST /text" = { public = true, content = ["text/plain", "image/*"] }
"POST /any" = { public = true, content = ["*/*"] }
"POST /none" = { public = true, content = [] }
"""
TWICE = b'{"role": "user", "role": "admin"}'
NAMES = [
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonp",
    "application/json,text/plain",
    "text/plain; application/json",
    "application/*",
    "*/*",
    "application/\x1cjson",
    "json",
    "",
]
LETTERS = ["utf-16", "utf-7", "latin-1", "utf-8; charset=utf-16", "'utf-8'", ""]
CODINGS = ["gzip", "GZIP", "x-gzip", "br", "deflate", "zstd", "identity, gzip", "gzip, identity", "utf-8", ""]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Routes that say what they take, and one that says nothing."""
    with at_work(POLICY) as runtime:
        yield runtime


@pytest.mark.parametrize("path", ["/echo", "/none"])
@pytest.mark.parametrize("name", NAMES)
def test_json_under_another_name_goes_no_further(place: Place, path: str, name: str) -> None:
    """`request.json()` in Starlette and `json.loads(request.body)` in Django do not ask for the type."""
    for body in (TWICE, b'{"role": "user"}'):
        for fields in ([("content-type", name)], []):
            answer = place.call("POST", path, fields, body)
            assert (answer.status, answer.code) == (415, "body_type"), fields


def test_the_answer_says_what_would_be_taken(place: Place) -> None:
    assert place.call("POST", "/echo", [("content-type", "a/b")], b"x").header("accept") == "application/json"
    assert place.call("POST", "/text", [("content-type", "a/b")], b"x").header("accept") == "text/plain, image/*"


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_compressed_is_not_taken_unread(place: Place, coding: str) -> None:
    """The guard sees other bytes than whoever unpacks them; and a small body may unpack to a large one."""
    fields = [("content-encoding", coding)]

    for path, kind in (("/echo", "application/json"), ("/text", "text/plain"), ("/any", "application/x+json")):
        answer = place.call("POST", path, [*fields, ("content-type", kind)], gzip.compress(b"{}"))
        assert (answer.status, answer.code) == (415, "body_encoding"), path
        assert answer.header("accept-encoding") == "identity"


@pytest.mark.parametrize("letters", LETTERS)
def test_json_in_other_letters_is_not_taken(place: Place, letters: str) -> None:
    """In UTF-7 `+ACI-` is a quotation mark: what the guard reads as one string the handler reads as two members."""
    for path in ("/echo", "/any"):
        fields = [("content-type", f"application/json; charset={letters}")]
        answer = place.call("POST", path, fields, b'{"role": "user+ACI-, +ACI-role+ACI-: +ACI-admin"}')
        assert (answer.status, answer.code) == (415, "body_type")


def test_where_anything_is_taken_json_is_judged_all_the_same(place: Place) -> None:
    answer = place.call("POST", "/any", [("content-type", "application/x+json")], TWICE)

    assert (answer.status, answer.code) == (400, "body_malformed")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/echo", [("content-type", "Application/JSON ; charset=UTF-8"), ("content-encoding", "Identity")]),
        ("/echo", [("content-type", "application/merge-patch+json")]),
        ("/text", [("content-type", "text/plain; charset=latin-1")]),
        ("/text", [("content-type", "image/png")]),
        ("/any", []),
        ("/any", [("content-type", "a/b"), ("content-encoding", "gzip")]),
    ],
)
def test_what_a_route_takes_reaches_it(place: Place, path: str, fields: list[tuple[str, str]]) -> None:
    """The bound from the other side."""
    assert place.call("POST", path, fields, b"{}").status == 200


def test_no_body_needs_no_type(place: Place) -> None:
    assert place.call("POST", "/none").status == 200
