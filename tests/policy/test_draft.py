"""Drafts: a policy that loads, opens nothing by guessing, and says what to decide."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.model.http.refusal import Refusal
from garrison.policy.draft import draft
from garrison.policy.found import FoundRoute
from garrison.policy.load import load, read
from garrison.policy.plan import compile_policy
from garrison.policy.route import METHODS

NOTES = [
    FoundRoute(("GET",), "/health", summary="Is it\nup?"),
    FoundRoute(("GET", "POST"), "/api/notes"),
    FoundRoute(("GET", "HEAD"), "/api/notes/{id:int}", ("notes:read", "no scope")),
    FoundRoute(("GET",), "/docs", documentation=True),
    FoundRoute(("GET",), "/static/{rest:path}", public=True),
    FoundRoute(("WS",), "/feed"),
    FoundRoute((), "/mounted/{rest:path}"),
    FoundRoute(("GET",), "/files/{name}.json"),
    FoundRoute(("OPTIONS",), "/only"),
    FoundRoute(("GET",), "/"),
    FoundRoute(("GET",), "/api/notes/{note:int}"),
]


def test_a_draft_says_what_to_decide() -> None:
    text = draft(NOTES, "notes")
    routes = text.partition("[routes]\n")[2]

    assert (
        routes
        == """# Is it up?
# decide: for everybody? Then write public = true, limit = "10/s burst 100 per address"
"GET /health" = { scopes = ["health:read"] }
"GET /api/notes" = { scopes = ["notes:read"] }
"POST /api/notes" = { scopes = ["notes:write"] }
# decide: does each belong to somebody? Then write own = true, else own = false
"GET /api/notes/{id:int}" = { scopes = ["notes:read"] }
# decide: for everybody? Then write public = true, limit = "10/s burst 100 per address"
"GET /docs" = { headers = "docs" }
# decide: for everybody? Then write public = true, limit = "10/s burst 100 per address"
# decide: does each belong to somebody? Then write own = true, else own = false
"GET /static/{rest:path}" = {}
# decide: which pages may connect? Write cors = "…", or leave "none" if no page does
"WS /feed" = { scopes = ["feed:read"], cors = "none" }
# decide: does each belong to somebody? Then write own = true, else own = false
"GET /mounted/{rest:path}" = { scopes = ["mounted:read"] }
# decide: does each belong to somebody? Then write own = true, else own = false
"POST /mounted/{rest:path}" = { scopes = ["mounted:write"] }
# decide: does each belong to somebody? Then write own = true, else own = false
"PUT /mounted/{rest:path}" = { scopes = ["mounted:write"] }
# decide: does each belong to somebody? Then write own = true, else own = false
"PATCH /mounted/{rest:path}" = { scopes = ["mounted:write"] }
# decide: does each belong to somebody? Then write own = true, else own = false
"DELETE /mounted/{rest:path}" = { scopes = ["mounted:write"] }
# left out, because a policy cannot name it: /files/{name}.json
"OPTIONS /only" = { scopes = ["only:read"] }
"GET /" = { scopes = ["all:read"] }
"""
    )
    assert load(text, "development").service == "notes"


def test_bodies_that_are_no_json_are_drafted_as_the_application_tells() -> None:
    """Left out, an upload would be answered 415."""
    upload = FoundRoute(("GET", "PUT"), "/files", content=("multipart/form-data", "no type"))
    merge = FoundRoute(("PATCH",), "/notes", content=("application/merge-patch+json",))

    routes = draft([upload, merge], "notes").partition("[routes]\n")[2]

    assert routes.splitlines() == [
        '"GET /files" = { scopes = ["files:read"] }',
        '"PUT /files" = { scopes = ["files:write"], content = ["multipart/form-data"] }',
        '"PATCH /notes" = { scopes = ["notes:write"] }',
    ]


def test_what_a_draft_leaves_to_decide_is_what_the_linter_asks() -> None:
    problems = read(draft(NOTES), "development").problems

    assert {problem.rule for problem in problems} == {"GP023", "GP040"}


def test_a_name_that_a_service_cannot_have_is_replaced() -> None:
    assert load(draft([], "Ma in")).service == "api"
    assert load(draft([], "main")).service == "main"


SEGMENTS = ["a", "tasks", "API", "v1", "{id}", "{id:int}", "{x}.csv", "ä b", "health", "docs", '"', "\n"]
TEMPLATES = st.lists(st.sampled_from(SEGMENTS), max_size=3).map(lambda parts: "/" + "/".join(parts))
ROUTES = st.builds(
    FoundRoute,
    st.lists(st.sampled_from(METHODS), max_size=2, unique=True).map(tuple),
    TEMPLATES,
    st.lists(st.text(max_size=5), max_size=2).map(tuple),
    st.booleans(),
    st.text(max_size=20),
    st.lists(st.sampled_from(["application/json", "text/csv", "A/b", 'x/"', ""]) | st.text(max_size=5)).map(tuple),
    st.booleans(),
)


@given(st.lists(ROUTES, max_size=6), st.text(max_size=5))
def test_any_draft_is_a_policy_that_opens_nothing(routes: list[FoundRoute], service: str) -> None:
    """Whatever an application calls its routes: no comment ends early, no name breaks out, nothing is public."""
    reading = read(draft(routes, service), "development")

    assert reading.policy is not None, reading.problems
    assert not any(route.public for route in reading.policy.routes.values())


def test_every_route_of_the_application_stands_in_its_draft() -> None:
    plans = compile_policy(load(draft(NOTES)))

    for method, path in (("GET", "/api/notes/7"), ("DELETE", "/mounted/x/y"), ("WS", "/feed"), ("GET", "/docs")):
        assert not isinstance(plans.find(method, path), Refusal)
