"""Refusals and errors as problem details: what helps the caller, nothing that helps an attacker."""

from __future__ import annotations

import pytest
from msgspec.json import decode

from garrison.guard.respond import plain_problem, problem
from garrison.model.http.refusal import REFUSALS, refuse


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
    [
        (404, "", "Not found", "Not found"),
        (418, "Tea.", "I'm a Teapot", "Tea."),
        (599, "", "Error", "Error"),
    ],
)
def test_an_error_of_the_application_keeps_its_status_and_text(status: int, detail: str, title: str, told: str) -> None:
    answer = plain_problem(status, detail, "c-1", errors=[1] if detail else None)
    members = decode(answer.body)

    assert (answer.status, members["title"], members["detail"]) == (status, title, told)
    assert ("errors" in members) == bool(detail)


@pytest.mark.parametrize("status", range(400, 600))
def test_the_code_of_an_error_of_the_application_never_changes(status: int) -> None:
    """A code of ours with that very status, or the number; never the words of the standard library."""
    code = decode(plain_problem(status, "", "").body)["code"]

    assert code == f"http_{status}" or REFUSALS[code].status == status


def test_the_statuses_that_python_has_renamed_have_codes_of_ours() -> None:
    """Python 3.13 says otherwise than 3.12 what 413, 414 and 422 are called."""
    codes = {status: decode(plain_problem(status, "", "").body)["code"] for status in (413, 414, 418, 422)}

    assert codes == {413: "body_too_large", 414: "target_too_long", 418: "http_418", 422: "body_invalid"}
