"""Explanations agree with the decisions, and say what the console says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors import CorsPolicy, compile_cors, explain

APP = "https://app.example.com"
CORS = compile_cors(
    CorsPolicy(origins=(APP, "https://*.example.org"), methods=("PUT",), headers=("X-A",), credentials=True)
)


@pytest.mark.parametrize(
    ("origin", "method", "headers", "rule", "says"),
    [
        ("", "PUT", (), "no_origin", ""),
        (APP, "GET", (), APP, ""),
        (APP, "GET", ("Accept",), APP, ""),
        ("https://a.example.org", "PUT", ("x-a",), "https://*.example.org", ""),
        ("https://evil.example", "GET", (), "origin", "policy: No 'Access-Control-Allow-Origin'"),
        ("https://evil.example", "PUT", (), "origin", "policy: Response to preflight request doesn't pass"),
        ("null", "GET", (), "null", "from origin 'null'"),
        ("https://a.example/", "GET", (), "malformed", "No 'Access-Control-Allow-Origin'"),
        (f"{APP}, {APP}", "GET", (), "several", "No 'Access-Control-Allow-Origin'"),
        (APP, "DELETE", (), "method", "Method DELETE is not allowed"),
        (APP, "GET", ("X-A", "X-B"), "header", "Request header field x-b is not allowed"),
        ("https://\u2603.example", "GET", (), "malformed", "No 'Access-Control-Allow-Origin'"),
        (APP, "<b>", (), "method", "\\x3cb\\x3e"),
    ],
)
def test_names_the_rule_and_the_message(
    origin: str, method: str, headers: tuple[str, ...], rule: str, says: str
) -> None:
    """One row per verdict."""
    told = explain(CORS, origin, method, headers)

    assert told.rule == rule
    assert told.allowed is (not says)
    assert says in told.browser
    assert told.text


def test_an_explanation_counts_nothing() -> None:
    """Asking why must not look like an attack."""
    before = dict(CORS.tally.counts)

    explain(CORS, "https://evil.example", "DELETE", ("x-b",))

    assert CORS.tally.counts == before


@given(
    st.sampled_from([APP, "https://b.example.org", "https://example.org", "null", "x"]),
    st.sampled_from(["GET", "PUT", "DELETE", "put"]),
    st.lists(st.sampled_from(["x-a", "X-A", "x-b"]), max_size=2),
)
def test_agrees_with_the_preflight(origin: str, method: str, headers: list[str]) -> None:
    """An explanation that differs from the decision is worse than none."""
    decided = CORS.preflight(origin.encode(), method.encode(), ",".join(headers).encode() or None)

    assert explain(CORS, origin, method, headers).allowed is (decided.status == 204)
