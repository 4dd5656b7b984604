"""Explaining: the decision, the rule, why, and what would change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.guard.steps.permit import permit
from garrison.model.principal import Principal
from garrison.policy.explain import Asked, explain
from garrison.policy.load import load
from garrison.policy.plan import Match, compile_policy

PLANS = compile_policy(
    load(
        """
        [defaults]
        cors = "web"
        limit = ["50/s burst 500 per principal", "9/s per address"]
        [cors.web]
        origins = ["https://app.example.com"]
        [routes]
        "GET /health" = { public = true, cors = "none" }
        "GET /notes/{id}" = { scopes = ["notes:read"], own = true }
        "PUT /notes/{id}" = { scopes = ["notes:write"], own = true, credentials = ["key"] }
        "POST /keys" = { require = { fresh = "5m", methods = ["otp"] } }
        "POST /both" = { credentials = { all = ["key", "jwt"] } }
        "POST /login" = { public = true, sets_cookie = true }
        "WS /feed" = {}
        "POST /notes" = { scopes = ["notes:read"], body = "note.json" }
        "POST /files" = { content = ["text/csv", "image/*"], max_body = "1KiB" }
        "POST /none" = { content = [] }
        "GET /tried" = { scopes = ["notes:read"], mode = "observe" }
        """
    ),
    files=lambda _: b'{"type": "object"}',
)
ADA = Principal(subject="ada", scopes=frozenset({"notes:read"}), authenticated_at=1_000_000_000, methods=("pwd",))


def test_what_passes_is_explained_step_by_step() -> None:
    found = explain(PLANS, Asked("GET", "/notes/7", ADA, ("key",), origin="https://app.example.com"))

    assert (found.allowed, found.status, found.code, found.route) == (True, 200, "", "GET /notes/{id}")
    assert [step.name for step in found.steps] == [
        "route",
        "limits",
        "credential",
        "scopes",
        "limits",
        "ownership",
        "page",
    ]
    assert all(step.passed for step in found.steps)


@pytest.mark.parametrize(
    ("asked", "code", "name", "remedy"),
    [
        (Asked("GET", "/nothing"), "route_unknown", "route", 'Write "GET /nothing" under [routes]'),
        (Asked("PATCH", "/health"), "method_not_allowed", "route", "Add the method"),
        (Asked("GET", "/notes//7"), "path_ambiguous", "route", "Send the path in its plain form"),
        (Asked("GET", "/notes/7"), "credential_missing", "credential", "Present key or jwt"),
        (Asked("PUT", "/notes/7", ADA, ("jwt",)), "credential_missing", "credential", "Present key"),
        (Asked("POST", "/both", ADA, ("jwt",)), "credential_missing", "credential", "Present key and jwt"),
        (Asked("GET", "/notes/7", ADA, ("key", "jwt")), "credential_ambiguous", "credential", "Send one, or write"),
        (Asked("PUT", "/notes/7", ADA, ("key",)), "scope_missing", "scopes", "Grant notes:write to user:ada"),
        (Asked("POST", "/keys", Principal(subject="x"), ("key",)), "freshness_required", "freshness", "Log in again"),
        (Asked("POST", "/keys", ADA, ("jwt",), now=1_300_000_000), "freshness_required", "freshness", "Log in again"),
        (Asked("POST", "/keys", ADA, ("jwt",), now=1_000_000_001), "assurance_required", "assurance", "Log in with"),
        (Asked("POST", "/login", origin="https://evil.example"), "cross_site", "site", "List https://evil.example"),
        (Asked("WS", "/feed", ADA, ("jwt",), origin="https://evil.example"), "cross_site", "site", "List https://evil"),
    ],
)
def test_what_is_refused_says_why_and_what_would_change_it(asked: Asked, code: str, name: str, remedy: str) -> None:
    found = explain(PLANS, asked)

    assert not found.allowed
    assert found.code == code
    assert found.steps[-1].name == name
    assert not found.steps[-1].passed
    assert found.steps[-1].remedy.startswith(remedy)
    assert all(step.passed for step in found.steps[:-1])


def test_what_is_only_observed_passes_and_says_so() -> None:
    found = explain(PLANS, Asked("GET", "/tried", Principal(subject="x"), ("key",)))

    assert (found.allowed, found.observed, found.code) == (True, True, "scope_missing")
    assert "(only observed)" in str(found)


def test_a_body_schema_is_told() -> None:
    def told(path: str) -> str:
        return explain(PLANS, Asked("POST", path, ADA, ("key",))).steps[-1].text

    assert told("/notes") == "a body must fit its schema and have at most 1MiB"
    assert told("/files") == "a body must be text/csv or image/* and have at most 1KiB"
    assert told("/none") == "takes no body"


def test_a_route_without_limits_spends_nothing() -> None:
    plans = compile_policy(load('[routes]\n"GET /a" = { public = true }'))

    assert [step.name for step in explain(plans, Asked("GET", "/a")).steps] == ["route", "credential"]


def test_a_public_route_asks_for_nothing() -> None:
    found = explain(PLANS, Asked("GET", "/health"))

    assert found.allowed
    assert "credential: the route is public" in str(found)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (Asked("GET", "/health", origin="https://app.example.com"), "has no CORS policy"),
        (Asked("GET", "/notes/7", ADA, ("jwt",), origin="https://evil.example"), "no entry of origins covers it"),
        (Asked("POST", "/both", ADA, ("key", "jwt"), origin="https://app.example.com"), "covers the origin"),
        (Asked("WS", "/feed", ADA, ("jwt",), origin="https://app.example.com"), "covers the origin"),
    ],
)
def test_what_a_page_may_read_is_told_apart_from_what_is_refused(asked: Asked, text: str) -> None:
    """CORS never refuses a request; it only keeps the answer from the page."""
    found = explain(PLANS, asked)

    assert found.allowed
    assert text in found.steps[-1].text


def test_a_good_site_and_a_strong_login_are_told() -> None:
    strong = Principal(subject="ada", authenticated_at=1, methods=("pwd", "otp"))

    assert "may send this" in str(explain(PLANS, Asked("WS", "/feed", ADA, ("jwt",), origin="https://app.example.com")))
    assert "the login used otp" in str(explain(PLANS, Asked("POST", "/keys", strong, ("jwt",))))
    assert "at most 5m old" in str(explain(PLANS, Asked("POST", "/keys", strong, ("jwt",))))


def test_the_text_is_what_the_command_line_shows() -> None:
    assert str(explain(PLANS, Asked("GET", "/nothing"))) == (
        "is refused: no route, 404 route_unknown\n"
        "  no route: There is nothing here.\n"
        '     Write "GET /nothing" under [routes]; nothing is open by omission'
    )


@given(
    st.sampled_from(["/notes/7", "/keys", "/both"]),
    st.sampled_from(["GET", "PUT", "POST"]),
    st.frozensets(st.sampled_from(["notes:read", "notes:write", "notes:*"])),
    st.sampled_from([0, 1, 10**9, 10**9 + 1]),
    st.sampled_from([(), ("pwd",), ("pwd", "otp")]),
    st.integers(1, 2 * 10**9),
)
def test_explanation_and_guard_agree(
    path: str, method: str, scopes: frozenset[str], at: int, methods: tuple[str, ...], now: int
) -> None:
    """Two tellers of one thing: what the guard's own step refuses is what the explanation says is refused."""
    principal = Principal(subject="ada", scopes=scopes, authenticated_at=at, methods=methods)
    found = PLANS.find(method, path)
    if not isinstance(found, Match):
        return

    kinds = found.plan.credentials if found.plan.all_credentials else found.plan.credentials[:1]
    told = explain(PLANS, Asked(method, path, principal, kinds, now=now))
    refusal = permit(found.plan, principal, now)

    assert told.code == (refusal.code if refusal else "")
