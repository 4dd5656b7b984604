"""What a body must be, by its own account and when it is here."""

from __future__ import annotations

import pytest

from garrison.guard.content import check_length, check_type, has_body, is_json, refused
from garrison.model.http.refusal import refuse
from garrison.model.http.request import Header, Request
from garrison.policy.plan import Plan


def _with(*headers: Header) -> Request:
    return Request("POST", "/x", list(headers))


@pytest.mark.parametrize(
    ("headers", "has"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"1")], True),
        ([(b"content-length", b"x")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_follows_where_the_header_says_so(headers: list[Header], has: bool) -> None:
    assert has_body(_with(*headers)) is has


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        (b"Application/JSON ; charset=utf-8", True),
        (b"application/merge-patch+json", True),
        (b"text/json", False),
        (b"application/json, text/plain", False),
        (b"application\xa0/json", False),
        (b"", False),
    ],
)
def test_json_is_what_says_it_is_whatever_the_parameters(kind: bytes, json: bool) -> None:
    assert is_json(_with((b"content-type", kind))) is json


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([], ""),
        ([(b"content-length", b"10")], ""),
        ([(b"content-length", b"11")], "body_too_large"),
        ([(b"content-length", b"-1")], "request_malformed"),
        ([(b"content-length", b"1e1")], "request_malformed"),
        ([(b"content-length", b"9" * 19)], "request_malformed"),
        ([(b"content-length", b"1"), (b"content-length", b"1")], "request_malformed"),
        ([(b"content-type", b"a"), (b"content-type", b"b")], "request_malformed"),
        ([(b"transfer-encoding", b"chunked")], ""),
        ([(b"transfer-encoding", b" Chunked ")], ""),
        ([(b"transfer-encoding", b"gzip, chunked")], "request_malformed"),
        ([(b"transfer-encoding", b"identity")], "request_malformed"),
        ([(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], "request_malformed"),
    ],
)
def test_a_length_is_judged_before_a_byte_is_read(headers: list[Header], code: str) -> None:
    refusal = check_length(_with(*headers), 10)

    assert ("" if refusal is None else refusal.code) == code


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        ((), [], ""),
        (("application/json",), [(b"content-type", b"application/json")], ""),
        (("application/json",), [(b"content-type", b"text/plain")], "body_type"),
        (("application/json",), [], "body_type"),
        (("application/json",), [(b"content-type", b"application/json; charset=utf-16")], "body_type"),
        (("text/plain",), [(b"content-type", b"text/plain; charset=utf-16")], ""),
        (("text/plain",), [(b"content-type", b"text/plain"), (b"content-encoding", b"br")], "body_encoding"),
        (("text/plain",), [(b"content-type", b"text/plain"), (b"content-encoding", b"identity")], ""),
        (("*/*",), [(b"content-encoding", b"br")], ""),
        (("*/*",), [(b"content-type", b"application/json"), (b"content-encoding", b"br")], "body_encoding"),
    ],
)
def test_a_body_is_taken_by_its_type_and_as_it_is(content: tuple[str, ...], headers: list[Header], code: str) -> None:
    plan = Plan(route="POST /x", template="/x", content=content)
    length = [] if not content else [(b"content-length", b"1")]

    refusal = check_type(_with(*length, *headers), plan)

    assert ("" if refusal is None else refusal.code) == code


def test_only_a_refusal_refuses() -> None:
    refusal = refuse("body_type")

    assert refused(refusal) is refusal
    assert refused({"code": "body_type"}) is None
