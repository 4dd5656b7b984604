"""Policy and application are held against each other: what one has, what the other calls it, and in which order."""

from __future__ import annotations

import pytest

from garrison.cli.compare import Comparison, compare
from garrison.policy.file.overlay import Places
from garrison.policy.found import FoundRoute
from garrison.policy.load import read
from garrison.policy.table import demands


def _compared(routes: str, *found: FoundRoute) -> Comparison:
    reading = read(f"[routes]\n{routes}", "development")
    assert reading.policy is not None, reading.problems
    return compare(found, demands(reading.policy), reading.places)


def _rules(comparison: Comparison) -> list[tuple[str, str, int]]:
    return [(problem.rule, problem.severity, problem.line) for problem in comparison.problems]


def test_equal_in_all_but_the_names_of_parameters() -> None:
    compared = _compared(
        "'GET|DELETE /notes/{id}' = {}\n'WS /live' = { cors = 'none' }\n",
        FoundRoute(("GET", "DELETE"), "/notes/{number:int}"),
        FoundRoute(("WS",), "/live"),
    )

    assert compared == Comparison(3, 3, ())


@pytest.mark.parametrize(
    ("found", "rules", "words"),
    [
        (FoundRoute(("POST",), "/notes"), ["GP701", "GP702"], 'Write "POST /notes" = { … }'),
        (FoundRoute(("GET",), "/other", ("a:b",)), ["GP701", "GP702"], '{ scopes = ["a:b"] }'),
        (FoundRoute((), "/notes"), [], ""),
        (FoundRoute((), "/elsewhere"), ["GP701", "GP702"], '"GET /elsewhere"'),
        (FoundRoute(("GET",), "/{any}"), ["GP705"], "more paths than GET /notes"),
        (FoundRoute(("GET",), "/no tes"), ["GP704", "GP702"], "no policy can name"),
    ],
)
def test_what_only_one_of_them_has(found: FoundRoute, rules: list[str], words: str) -> None:
    compared = _compared("'GET /notes' = {}\n", found)

    assert [problem.rule for problem in compared.problems] == rules
    assert words in "".join(f"{problem.text} {problem.remedy}" for problem in compared.problems)


def test_a_route_that_is_only_in_the_policy_warns_with_its_line() -> None:
    compared = _compared("'GET /a' = {}\n'GET|PUT /b' = {}\n", FoundRoute(("GET",), "/a"), FoundRoute(("GET",), "/b"))

    assert _rules(compared) == [("GP702", "warning", 3)]


def test_head_follows_get() -> None:
    compared = _compared("'GET|HEAD /a' = {}\n", FoundRoute(("GET",), "/a"))
    of_app = _compared("'GET /a' = {}\n", FoundRoute(("GET", "HEAD"), "/a"))

    assert (compared.problems, of_app) == ((), Comparison(2, 2, ()))


@pytest.mark.parametrize(
    ("named", "demanded", "expected"),
    [
        ((), "['a:read']", []),
        (("a:read",), "['a:read']", []),
        (("a:read", "b:read"), "['b:read', 'a:read']", []),
        (("a:write",), "['a:read']", [("GP703", "error", 2)]),
        (("a:read", "b:read"), "['a:read']", [("GP703", "error", 2)]),
        (("a:read",), "['a:read', 'b:read']", [("GP703", "warning", 2)]),
        (("a:read",), "[]", [("GP703", "error", 2)]),
    ],
)
def test_scopes_that_differ(named: tuple[str, ...], demanded: str, expected: list[tuple[str, str, int]]) -> None:
    """Code that names none leaves the question to the policy; what the policy lacks, its reader does not know of."""
    compared = _compared(f"'GET /a' = {{ scopes = {demanded} }}\n", FoundRoute(("GET",), "/a", named))

    assert _rules(compared) == expected


def test_the_narrowest_route_of_the_policy_is_the_one_that_counts() -> None:
    compared = _compared(
        "'GET /{any:path}' = { scopes = ['any:read'] }\n'GET /a' = { scopes = ['a:read'] }\n",
        FoundRoute(("GET",), "/a", ("a:read",)),
        FoundRoute(("GET",), "/{rest:path}", ("any:read",)),
    )

    assert compared.problems == ()


def test_an_application_that_looks_in_another_order_is_told() -> None:
    """Its `/users/{name}` answers `/users/me`, under demands that were meant for another handler."""
    compared = _compared(
        "'GET /users/me' = { scopes = [] }\n'GET /users/{name}' = { scopes = ['users:read'] }\n",
        FoundRoute(("GET",), "/users/{name}"),
        FoundRoute(("GET",), "/users/me"),
    )

    assert _rules(compared) == [("GP706", "error", 0)]


def test_endpoints_of_garrison_are_not_looked_for_in_the_application() -> None:
    text = "[accounts]\nscopes = ['a:read']\n[routes]\n'POST /auth/login' = { limit = '1/s per address' }\n"
    reading = read(text, "development")
    assert reading.policy is not None
    assert reading.policy.accounts is not None
    from garrison.cli.policy_file import rows_of

    compared = compare([], demands(reading.policy, rows_of(reading.policy)), Places({}, "development"))

    assert compared == Comparison(0, 0, ())
