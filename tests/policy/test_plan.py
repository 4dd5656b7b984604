"""Plans: everything computed once, nothing open by omission, and every mistake told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from garrison.errors import PolicyError
from garrison.headers import SecurityHeaders
from garrison.limits import parse
from garrison.model.http.endpoint import Call, Endpoint
from garrison.model.http.refusal import Refusal
from garrison.model.http.response import Response
from garrison.policy.load import files_beside, load, read
from garrison.policy.plan import Match, Plan, Plans, compile_policy
from garrison.policy.schema import Cors, Defaults, Headers, Policy, Requirement, Route

TEXT = """
[defaults]
limit = ["50/s burst 500 per principal", "100/s per address"]
cors = "web"

[cors.web]
origins = ["https://app.example.com"]
[cors.other]
origins = ["https://other.example.com"]

[headers.site]
profile = "html"

[caps]
body = "2KiB"

[routes]
"GET /notes" = { scopes = ["notes:read"] }
"GET /notes/{id}" = { scopes = ["notes:read"], own = true, cors = "other" }
"POST|PUT /notes" = { credentials = { all = ["key", "jwt"] }, max_body = "4KiB", limit = "1/s per key", scopes = ["n"] }
"DELETE /notes/{id}" = { require = { fresh = "5m", methods = ["otp"] }, mode = "observe", cors = "none", own = true }
"GET /page" = { public = true, headers = "site", sets_cookie = true, credentials = ["jwt"], limit = [] }
"HEAD /probe" = { public = true, headers = "site", limit = [] }
"WS /feed" = { scopes = ["feed:read"] }
"""


async def _nothing(_: Call, __: object) -> Response:
    return Response(204)


LOGIN = Endpoint(name="login", method="POST", path="/login", run=_nothing, demands={"public": True, "limit": "5/s"})


@pytest.fixture(scope="module")
def plans() -> Plans:
    return compile_policy(load(TEXT))


def plan(plans: Plans, method: str, path: str) -> Plan:
    found = plans.find(method, path)
    assert isinstance(found, Match), found
    return found.plan


def test_a_plan_is_what_the_route_demands_with_the_defaults(plans: Plans) -> None:
    found = plan(plans, "GET", "/notes/7")

    assert (found.route, found.template) == ("GET /notes/{id}", "/notes/{id}")
    assert (found.public, found.own, found.scopes) == (False, True, ("notes:read",))
    assert (found.credentials, found.all_credentials) == (("key", "jwt"), False)
    assert (found.cors, found.headers, found.max_body) == ("other", "api", 2048)
    assert (found.fresh, found.methods, found.observe, found.sets_cookie) == (0, (), False, False)
    assert (found.body, found.endpoint) == (None, None)


def test_what_differs_from_the_defaults(plans: Plans) -> None:
    post, delete, page = plan(plans, "PUT", "/notes"), plan(plans, "DELETE", "/notes/7"), plan(plans, "GET", "/page")

    assert (post.all_credentials, post.credentials, post.max_body) == (True, ("key", "jwt"), 4096)
    assert (delete.fresh, delete.methods, delete.observe, delete.cors) == (300_000_000, ("otp",), True, "")
    assert (page.public, page.headers, page.sets_cookie, page.credentials) == (True, "site", True, ("jwt",))
    assert (page.before, page.after) == ((), ())


def test_limits_are_parted_by_phase(plans: Plans) -> None:
    found = plan(plans, "GET", "/notes")

    assert [rule.limit for rule in found.before] == [parse("100/s per address")]
    assert [rule.limit for rule in found.after] == [parse("50/s burst 500 per principal")]


def test_default_limits_are_one_count_and_own_limits_each_another(plans: Plans) -> None:
    one, other, own = plan(plans, "GET", "/notes"), plan(plans, "GET", "/notes/7"), plan(plans, "PUT", "/notes")
    keys = {rule.key for each in (one, other, own) for rule in (*each.before, *each.after)}

    assert one.after[0].key == other.after[0].key
    assert own.after[0].key != one.after[0].key
    assert len(keys) == 3
    assert {len(key) for key in keys} == {12}
    assert all(key.endswith(":") and key[:-1].isalnum() for key in keys)


def test_a_changed_figure_keeps_what_was_spent(plans: Plans) -> None:
    changed = compile_policy(load(TEXT.replace("1/s per key", "9/s burst 90 per key")))

    assert plan(changed, "PUT", "/notes").after[0].key == plan(plans, "PUT", "/notes").after[0].key


def test_head_follows_get_unless_it_has_a_route(plans: Plans) -> None:
    assert plan(plans, "HEAD", "/notes/7").route == "GET /notes/{id}"
    assert plan(plans, "HEAD", "/page").route == "GET /page"
    assert plan(plans, "HEAD", "/probe").route == "HEAD /probe"


def test_a_wrong_method_says_which_would_do(plans: Plans) -> None:
    found = plans.find("PATCH", "/notes")

    assert isinstance(found, Refusal)
    assert (found.status, found.code) == (405, "method_not_allowed")
    assert found.headers == ((b"allow", b"GET, HEAD, POST, PUT"),)


def test_an_unknown_path_says_nothing(plans: Plans) -> None:
    for method, path in (("GET", "/nothing"), ("GET", "/feed"), ("NONE", "/x")):
        found = plans.find(method, path)
        assert isinstance(found, Refusal)
        assert (found.status, found.code, found.members) == (404, "route_unknown", {})


def test_in_development_an_unknown_path_says_that_the_policy_lacks_it() -> None:
    found = compile_policy(load(TEXT, "development")).find("GET", "/nothing" + "x" * 999)

    assert isinstance(found, Refusal)
    assert found.members["policy"].startswith("The policy has no route for 'GET /nothing")
    assert len(found.members["policy"]) < 300


def test_a_preflight_is_answered_by_the_policy_of_the_route_it_asks_about(plans: Plans) -> None:
    assert plans.cors_for("/notes", "GET") is plans.cors["web"]
    assert plans.cors_for("/notes/7", "GET") is plans.cors["other"]
    assert plans.cors_for("/notes/7", "DELETE") is None
    assert plans.cors_for("/nothing", "GET") is plans.cors["web"]
    assert plans.cors_for("//", "GET") is plans.cors["web"]


def test_unknown_requests_have_the_limits_of_the_defaults_and_demand_nothing(plans: Plans) -> None:
    unknown = plans.unknown

    assert (unknown.public, unknown.own, unknown.route) == (True, False, "")
    assert unknown.before == plan(plans, "GET", "/notes").before


def test_header_profiles_are_there_by_name(plans: Plans) -> None:
    assert set(plans.headers) == {"api", "html", "docs", "site"}
    assert all(isinstance(profile, SecurityHeaders) for profile in plans.headers.values())


def test_a_profile_of_ones_own_takes_the_place_of_a_built_in_one() -> None:
    plans = compile_policy(Policy(headers={"api": Headers(profile="html")}))

    assert plans.headers["api"].policy.profile == "html"


def test_the_routes_are_listed_in_order(plans: Plans) -> None:
    assert [each.route for each in plans.listed] == list(plans.policy.routes)


def test_warnings_are_kept_and_do_not_refuse() -> None:
    assert "GP097" in {problem.rule for problem in compile_policy(Policy(mode="observe")).warnings}


def test_a_policy_that_observes_observes_on_every_route() -> None:
    plans = compile_policy(Policy(mode="observe", routes={"GET /a": Route(mode="enforce")}))

    assert plan(plans, "GET", "/a").observe


def test_an_endpoint_is_guarded_like_a_route() -> None:
    plans = compile_policy(Policy(), endpoints=[("/auth", LOGIN, "service")])
    found = plan(plans, "POST", "/auth/login")

    assert found.endpoint is not None
    assert (found.endpoint.endpoint, found.endpoint.service) == (LOGIN, "service")
    assert (found.public, found.before[0].limit) == (True, parse("5/s"))


@pytest.mark.parametrize(
    "more", [Route(scopes=("auth:try",)), Route(require=Requirement(fresh="5m")), Route(own=True), Route(limit="9/s")]
)
def test_who_demands_something_of_an_open_endpoint_closes_it(more: Route) -> None:
    """Scopes that were written down, and then asked of nobody, would be the worst of it."""
    found = plan(
        compile_policy(Policy(routes={"POST /auth/login": more}), endpoints=[("/auth", LOGIN, None)]),
        "POST",
        "/auth/login",
    )

    assert found.public is bool(more.limit)


def test_an_endpoint_that_meets_a_route_of_the_user_is_a_mistake() -> None:
    policy = Policy(routes={"POST /auth/{page}": Route(), "POST /{x}/login": Route()})

    with pytest.raises(PolicyError) as caught:
        compile_policy(policy, endpoints=[("/auth", LOGIN, None)])

    assert "GP021" in {problem.rule for problem in caught.value.problems}


def test_the_version_tells_policies_and_schemas_apart(tmp_path: Path) -> None:
    file = tmp_path / "garrison.toml"
    file.write_text('[routes]\n"POST /a" = { body = "a.json" }')
    (tmp_path / "a.json").write_text("{}")
    first = compile_policy(load(file), files=files_beside(file)).version
    again = compile_policy(load(file), files=files_beside(file)).version
    (tmp_path / "a.json").write_text("true")
    second = compile_policy(load(file), files=files_beside(file)).version
    more = compile_policy(load(file), files=files_beside(file), endpoints=[("", LOGIN, None)]).version

    assert first == again
    assert len({first, second, more}) == 3


def test_a_body_schema_is_compiled(tmp_path: Path) -> None:
    file = tmp_path / "garrison.toml"
    file.write_text('[routes]\n"POST /a" = { body = "a.json" }')
    (tmp_path / "a.json").write_text(json.dumps({"type": "object"}))

    body = plan(compile_policy(load(file), files=files_beside(file)), "POST", "/a").body

    assert body is not None
    assert body.errors({}) == []
    assert body.errors([]) == [{"path": "", "text": "must be object", "code": "type"}]


def test_a_body_schema_that_nobody_can_read_is_a_mistake() -> None:
    """A route whose schema is missing would take any body."""
    with pytest.raises(PolicyError, match="GP029"):
        compile_policy(Policy(routes={"POST /a": Route(body="a.json")}))


def test_a_policy_made_in_python_is_checked_like_a_file() -> None:
    with pytest.raises(PolicyError) as caught:
        compile_policy(
            Policy(
                workers=0,
                hosts=("https://x",),
                defaults=Defaults(limit="often"),
                routes={"GET x": Route(), "GET /a": Route(scopes=("a b",))},
            )
        )

    assert sorted(problem.path for problem in caught.value.problems) == [
        "defaults.limit",
        "hosts[0]",
        'routes."GET /a".scopes[0]',
        'routes."GET x"',
        "workers",
    ]


def test_a_wrong_cors_policy_is_told_with_the_rest() -> None:
    policy = Policy(cors={"web": Cors(origins=("*",), credentials=True)}, defaults=Defaults(cors="web", headers="none"))

    with pytest.raises(PolicyError) as caught:
        compile_policy(policy)

    assert {problem.rule for problem in caught.value.problems if problem.severity == "error"} == {"GP068", "GP103"}


def test_a_thousand_routes_compile() -> None:
    routes = {f"GET /api/r{number}/{{id}}": Route(own=True, scopes=("a:read",)) for number in range(1_000)}

    plans = compile_policy(Policy(routes=routes))

    assert plan(plans, "GET", "/api/r999/7").route == "GET /api/r999/{id}"
    assert read("").policy is not None
