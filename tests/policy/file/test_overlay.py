"""Environments: what is laid over what, and where it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import Problem
from garrison.policy.file.overlay import Places, merged

LINES = {
    ("cors",): 1,
    ("cors", "web"): 1,
    ("cors", "web", "origins"): 2,
    ("environments", "staging"): 5,
    ("environments", "staging", "cors", "web"): 6,
    ("environments", "staging", "cors", "web", "origins"): 7,
    ("environments", "staging", "cors", "web", "origins", 0): 8,
}
PLACES = Places(LINES, "staging")
PLAIN = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)


def test_tables_are_merged_and_anything_else_is_replaced() -> None:
    under = {"a": {"x": 1, "y": [1, 2]}, "b": 1}

    assert merged(under, {"a": {"y": [3]}, "c": {"z": 1}}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": {"z": 1}}
    assert merged(under, {"a": 5}) == {"a": 5, "b": 1}
    assert merged(under, {"b": {"x": 1}}) == {**under, "b": {"x": 1}}
    assert under == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


@given(PLAIN, PLAIN)
def test_what_lies_on_top_is_seen(under: object, over: object) -> None:
    assert merged(merged(under, over), over) == merged(under, over)
    assert merged({}, over) == over


def test_a_place_is_where_it_was_written() -> None:
    path = ("environments", "staging", "cors", "web", "origins", 0)

    assert PLACES.find(("cors", "web", "origins", 0)) == (path, 8)
    assert Places(LINES, "production").find(("cors", "web", "origins")) == (("cors", "web", "origins"), 2)


def test_what_is_missing_has_the_line_of_its_table() -> None:
    assert PLACES.find(("cors", "web", "methods")) == (("cors", "web", "methods"), 6)
    assert PLACES.find(("cors", "app")) == (("cors", "app"), 1)
    assert PLACES.find(("hosts",)) == (("hosts",), 0)
    assert PLACES.find(("jwt", "issuers", "corp")) == (("jwt", "issuers", "corp"), 0)


def test_a_problem_that_knows_its_path_only_gets_a_line() -> None:
    def put(path: str) -> tuple[str, int]:
        problem = PLACES.put(Problem("GP114", path, 0, "", ""))
        return problem.path, problem.line

    assert put("cors.web.origins[0]") == ("environments.staging.cors.web.origins[0]", 8)
    assert put("cors.web.max_age") == ("cors.web.max_age", 6)
    assert put("cors.app.origins") == ("cors.app.origins", 1)
    assert put("hosts") == ("hosts", 0)
