"""Rows: what each route demands in the end, and which of them meet."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import combinations
from types import FrameType

from hypothesis import given
from hypothesis import strategies as st

from garrison.model.http.endpoint import Call, Endpoint
from garrison.model.http.response import Response
from garrison.policy.load import load
from garrison.policy.route import Segment, Tree, meets, parse_template
from garrison.policy.schema import Cors, Policy, Route
from garrison.policy.table import cors_policy, demands, meetings, users_of_cors


def _name(parts: list[str], tail: list[str]) -> str:
    """A route whose parameters each have a name of their own."""
    return "GET /" + "/".join([*(part.replace("p", f"p{at}") for at, part in enumerate(parts)), *tail])


PARTS = st.sampled_from(["a", "b", "7", "{p}", "{p:int}", "{p:float}", "{p:uuid}"])
TAIL = st.sampled_from([[], [], ["{rest:path}"]])
NAMES = st.lists(st.builds(_name, st.lists(PARTS, min_size=1, max_size=3), TAIL), max_size=5, unique=True)
NAMES_ALONE = st.builds(
    _name, st.lists(PARTS, min_size=1, max_size=3), st.sampled_from([[], [], [""], ["{rest:path}"]])
)
METHOD_SETS = st.sampled_from(["GET", "PUT", "GET|PUT", "PUT|GET"])
PATHS = st.lists(st.sampled_from(["a", "b", "7", "1.5", "1" * 32, "x"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


async def _nothing(_: Call, __: object) -> Response:
    return Response(204)


LOGIN = Endpoint(
    name="login",
    method="POST",
    path="/login",
    run=_nothing,
    demands={"public": True, "limit": "5/s per address", "scopes": []},
)


def test_a_route_takes_from_the_defaults_what_it_does_not_say() -> None:
    policy = load(
        """
        [defaults]
        limit = "5/s per key"
        own = false
        [routes]
        "GET /a" = { limit = [], scopes = ["a:read"] }
        "GET /b/{id}" = { own = true }
        """
    )

    first, second = demands(policy)

    assert (first.whole.limit, first.whole.own, first.whole.scopes) == ((), False, ("a:read",))
    assert (second.whole.limit, second.whole.own, second.whole.scopes) == ("5/s per key", True, None)
    assert second.stated == Route(own=True)
    assert second.parameters == ("id",)


def test_an_endpoint_is_a_row_and_a_route_of_its_name_overrides_it() -> None:
    rows = (("/auth", LOGIN, "service"),)

    (alone,) = demands(Policy(), rows)
    (changed,) = demands(Policy(routes={"POST /auth/login": Route(limit="1/s per address")}), rows)

    assert alone.name == changed.name == "POST /auth/login"
    assert (alone.whole.public, alone.whole.limit) == (True, "5/s per address")
    assert (changed.whole.public, changed.whole.limit) == (True, "1/s per address")
    assert alone.mounted is not None
    assert changed.mounted is not None
    assert changed.mounted.service == "service"


def test_what_a_cors_policy_leaves_out_follows_from_its_routes() -> None:
    policy = load(
        """
        [keys]
        header = "x-key"
        [defaults]
        cors = "web"
        [cors.web]
        origins = ["https://app.example.com"]
        [routes]
        "PUT|DELETE /a" = {}
        "WS /b" = {}
        "PATCH /c" = { cors = "none" }
        """
    )
    rows = demands(policy)

    compiled = cors_policy(policy.cors["web"], users_of_cors(rows, "web"), policy)
    stated = cors_policy(Cors(origins=("https://a.example",), methods=("GET",), headers=("x-a",)), rows, policy)

    assert compiled.methods == ("PUT", "DELETE")
    assert compiled.headers == ("authorization", "content-type", "x-key")
    assert (stated.methods, stated.headers) == (("GET",), ("x-a",))


@given(NAMES, PATHS)
def test_routes_that_take_one_path_meet_and_no_others_need_to(names: list[str], path: str) -> None:
    """Compared with the plain way: every route against every other, by what each takes."""
    rows = demands(Policy(routes=dict.fromkeys(names, Route())))
    found = {(meeting.one.name, meeting.other.name) for meeting in meetings(rows)}
    trees: dict[str, Tree[str]] = {}
    for name in names:
        trees[name] = Tree()
        trees[name].add(parse_template(name.removeprefix("GET ")), name)

    for one, other in combinations(names, 2):
        if trees[one].find(path) and trees[other].find(path):
            assert (one, other) in found


def _share(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    """Whether some path fits both templates, by comparing segment with segment."""
    for mine, theirs in zip(one, other, strict=False):
        if "path" in (mine.kind, theirs.kind):
            return True
        if not meets(mine, theirs):
            return False
    return len(one) == len(other)


@given(st.lists(st.tuples(METHOD_SETS, NAMES_ALONE), max_size=12, unique=True))
def test_the_pairs_are_those_of_comparing_every_route_with_every_other(named: list[tuple[str, str]]) -> None:
    """Nothing is missed and nothing is made up by not comparing, and the order is that of the file."""
    routes = {name.replace("GET", methods, 1): Route() for methods, name in named}
    rows = demands(Policy(routes=routes))

    plainly = [
        (one.name, other.name, method)
        for at, other in enumerate(rows)
        for method in other.parsed.methods
        for one in rows[:at]
        if method in one.parsed.methods and _share(one.parsed.segments, other.parsed.segments)
    ]

    assert [(meeting.one.name, meeting.other.name, meeting.method) for meeting in meetings(rows)] == plainly


def test_routes_that_cannot_meet_cost_no_comparison() -> None:
    """A thousand templates after a literal and as many after a parameter: a million pairs, and none of them meets."""
    names = [*(f"GET /{{tenant}}/r{at}" for at in range(1000)), *(f"GET /t{at}/x" for at in range(1000))]
    rows = demands(Policy(routes=dict.fromkeys(names, Route())))
    calls = 0

    def count(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        found = list(meetings(rows))
    finally:
        sys.setprofile(None)

    assert not found
    assert calls < 100 * len(names)


def test_methods_meet_each_by_itself() -> None:
    rows = demands(Policy(routes={"GET|PUT /a/{x}": Route(), "PUT|DELETE /{y}/b": Route(), "GET /c": Route()}))

    (meeting,) = meetings(rows)

    assert (meeting.method, meeting.one.name, meeting.other.name) == ("PUT", "GET|PUT /a/{x}", "PUT|DELETE /{y}/b")
    assert not meeting.ordered
    assert not meeting.same


def test_a_path_parameter_meets_everything_below() -> None:
    names = ("GET /a", "GET /a/b/c", "GET /a/{rest:path}", "GET /{all:path}", "GET /b")
    rows = demands(Policy(routes=dict.fromkeys(names, Route())))

    found = {(meeting.one.name, meeting.other.name) for meeting in meetings(rows)}

    assert found == {
        ("GET /a/b/c", "GET /a/{rest:path}"),
        ("GET /a", "GET /{all:path}"),
        ("GET /a/b/c", "GET /{all:path}"),
        ("GET /a/{rest:path}", "GET /{all:path}"),
        ("GET /{all:path}", "GET /b"),
    }
