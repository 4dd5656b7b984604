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
