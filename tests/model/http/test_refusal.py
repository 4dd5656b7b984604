"""Refusals: every code has one answer, and the reason stays inside."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from garrison.model.fit import Misfit
from garrison.model.http.refusal import REFUSALS, invalid, refuse
from garrison.model.http.response import json_response


@pytest.mark.parametrize("code", REFUSALS)
def test_every_code_is_an_error_with_words(code: str) -> None:
    refusal = refuse(code, "why_exactly")

    assert 400 <= HTTPStatus(refusal.status) < 600
    assert refusal.code == code
    assert refusal.title
    assert refusal.detail.endswith(".")


def test_the_status_of_a_code_is_a_promise() -> None:
    """Clients decide by it whether to log in, to wait, to mend the request or to give up."""
    found: dict[int, set[str]] = {}
    for code, told in REFUSALS.items():
        found.setdefault(told.status, set()).add(code)

    assert {status: codes for status, codes in found.items() if status != 409} == {
        400: {"request_malformed", "path_ambiguous", "credential_ambiguous", "body_malformed"},
        401: {
            *("credential_missing", "credential_malformed", "credential_refused"),
            *("login_refused", "freshness_required", "assurance_required"),
        },
        403: {
            "address_denied",
            *("scope_missing", "credential_restricted", "cross_site", "cors_refused"),
            *("invite_required", "invite_refused"),
        },
        404: {"route_unknown", "not_found"},
        405: {"method_not_allowed"},
        408: {"body_too_slow", "head_too_slow"},
        411: {"length_required"},
        413: {"body_too_large"},
        414: {"target_too_long"},
        415: {"body_type", "body_encoding"},
        421: {"host_unknown"},
        422: {"path_invalid", "query_invalid", "header_invalid", "body_invalid"},
        429: {"blocked", "connections_too_many", "limit_exceeded", "login_throttled"},
        431: {"headers_too_large"},
        500: {"ownership_unproved", "internal_error"},
        501: {"method_unknown"},
        503: {"busy", "overloaded", "store_unavailable"},
    }
    assert {"account_exists", "conflict"} <= found[409]


def test_the_reason_is_no_part_of_what_is_told() -> None:
    refusal = refuse("credential_refused", "expired")

    assert "expired" not in f"{refusal.title} {refusal.detail} {refusal.members}"


def test_a_wrong_and_an_unreadable_credential_are_told_alike() -> None:
    """Whoever guesses must not learn which check failed."""
    assert REFUSALS["credential_refused"] == REFUSALS["credential_malformed"]
    assert REFUSALS["not_found"] == REFUSALS["route_unknown"]


def test_a_bad_body_is_told_with_every_field() -> None:
    refusal = invalid(
        [Misfit(("owner", "mail"), "format", "must be an e-mail address"), Misfit(("tags", 1), "type", "x")]
    )

    assert (refusal.status, refusal.code) == (422, "body_invalid")
    assert refusal.members["errors"] == [
        {"path": "owner.mail", "code": "format", "text": "must be an e-mail address"},
        {"path": "tags[1]", "code": "type", "text": "x"},
    ]


def test_a_json_answer_is_never_stored() -> None:
    answer = json_response(200, {"a": 1}, [(b"x-more", b"1")])

    assert json.loads(answer.body) == {"a": 1}
    assert answer.headers == (
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"x-more", b"1"),
    )
