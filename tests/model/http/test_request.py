"""Requests: every field line counts, and which of two never depends on taste."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.model.http.request import Header, Request

NAMES = st.sampled_from([b"a", b"b", b"c"])
LINES = st.lists(st.tuples(NAMES, st.binary(max_size=3)), max_size=8)


def test_the_parts_are_kept() -> None:
    request = Request("GET", "/a b", [], raw_path=b"/a%20b", query=b"x=1", scheme="https", peer="127.0.0.1")

    assert (request.method, request.path, request.raw_path) == ("GET", "/a b", b"/a%20b")
    assert (request.query, request.scheme, request.peer) == (b"x=1", "https", "127.0.0.1")


@given(LINES)
def test_lines_come_back_in_order(headers: list[Header]) -> None:
    request = Request("GET", "/", headers)

    for name in (b"a", b"b", b"c"):
        values = [value for field, value in headers if field == name]
        assert request.lines(name) == values
        assert request.line(name) == (b", ".join(values) if values else None)


@given(LINES)
def test_one_line_is_one_line(headers: list[Header]) -> None:
    """Two lines of a name are no value at all: an attacker's second Authorization must not win, nor lose quietly."""
    request = Request("GET", "/", headers)

    for name in (b"a", b"b", b"c"):
        values = [value for field, value in headers if field == name]
        assert request.one(name) == (values[0].decode("latin-1") if len(values) == 1 else None)
        assert (name in request.repeated) == (len(values) > 1)
