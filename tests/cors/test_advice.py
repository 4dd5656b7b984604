"""What a sound policy is told about the service it stands before."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.cors import CorsPolicy, Surroundings, advise

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("rule", "place", "fields", "bad", "good"),
    [
        ("GP132", "origins[0]", {"origins": ("http://localhost:*",)}, Surroundings(production=True), Surroundings()),
        ("GP133", "origins[0]", {}, Surroundings(served=(APP,)), Surroundings(served=("https://api.example.com",))),
        ("GP134", "headers", {"headers": ("*",)}, Surroundings(authorization=True), Surroundings()),
        ("GP134", "headers", {"headers": ("X-A",)}, Surroundings(authorization=True), Surroundings()),
        (
            "GP135",
            "methods[1]",
            {"methods": ("PUT", "DELETE")},
            Surroundings(methods=frozenset(("PUT",))),
            Surroundings(methods=frozenset(("PUT", "DELETE"))),
        ),
        ("GP136", "origins[0]", {"origins": ("*",)}, Surroundings(session=True), Surroundings()),
    ],
)
def test_warns_and_only_then(
    rule: str, place: str, fields: dict[str, Any], bad: Surroundings, good: Surroundings
) -> None:
    """Each piece of advice with surroundings that call for it and some that do not."""
    policy = CorsPolicy(**{"origins": (APP,), **fields})

    found = advise(policy, bad, "cors.web")

    assert [(problem.rule, problem.path, problem.severity) for problem in found] == [
        (rule, f"cors.web.{place}", "warning")
    ]
    assert advise(policy, good) == ()


def test_a_star_with_credentials_covers_authorization() -> None:
    """The names are echoed then, and not hidden behind a literal star."""
    policy = CorsPolicy(origins=(APP,), headers=("*",), credentials=True)

    assert advise(policy, Surroundings(authorization=True)) == ()


def test_listed_authorization_is_found_in_any_case() -> None:
    """Field names have no case (RFC 9110 section 5.1)."""
    assert advise(CorsPolicy(origins=(APP,), headers=("AUTHORIZATION",)), Surroundings(authorization=True)) == ()
