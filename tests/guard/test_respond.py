"""Refusals and errors as problem details: what helps the caller, nothing that helps an attacker."""

from __future__ import annotations

import pytest
from msgspec.json import decode

from garrison.guard.respond import plain_problem, problem
from garrison.model.http.refusal import refuse


def test_the_reason_of_a_refusal_stays_here() -> None:
    refusal = refuse("credential_refused", "key_expired", headers=((b"www-authenticate", b"x"),), members={"a": 1})
    answer = problem(refusal, "c-1")
    told = decode(answer.body)

    assert answer.status == told["status"] == 401
    assert (told["code"], told["correlation"], told["type"], told["a"]) == (
        "credential_refused",
        "c-1",
        "about:blank",
        1,
    )
    assert b"expired" not in answer.body
    assert (b"www-authenticate", b"x") in answer.headers
    assert (b"cache-control", b"no-store") in answer.headers


@pytest.mark.parametrize(
    ("status", "detail", "title", "told"),
    [(404, "", "Not Found", "Not Found"), (418, "Tea.", "I'm a Teapot", "Tea."), (599, "", "Error", "Error")],
)
def test_an_error_of_the_application_keeps_its_status_and_text(status: int, detail: str, title: str, told: str) -> None:
    answer = plain_problem(status, detail, "c-1", errors=[1] if detail else None)
    members = decode(answer.body)

    assert (answer.status, members["title"], members["detail"]) == (status, title, told)
    assert ("errors" in members) == bool(detail)
