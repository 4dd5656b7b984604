"""Routes found: which of them the application reaches in another order than the guard."""

from __future__ import annotations

from garrison.policy.found import FoundRoute, out_of_order
from garrison.policy.load import load
from garrison.policy.table import demands

ROWS = demands(
    load(
        """
        [routes]
        "GET /notes/latest" = { public = true }
        "GET /notes/{id}" = { scopes = ["notes:read"] }
        "GET /notes/{id}/parts/{part}" = { scopes = ["notes:read"] }
        "GET /notes/{id}/parts/first" = { scopes = ["notes:read"] }
        """
    )
)
BROAD = FoundRoute(("GET", "PUT"), "/notes/{id}")
NARROW = FoundRoute(("GET",), "/notes/latest")


def test_a_broad_route_before_a_narrow_one_runs_under_the_wrong_demands() -> None:
    """The guard lets /notes/latest through for everybody; the application answers with a note that is somebody's."""
    assert out_of_order(ROWS, [BROAD, NARROW]) == ((BROAD, NARROW),)


def test_the_other_way_round_both_mean_the_same() -> None:
    assert out_of_order(ROWS, [NARROW, BROAD]) == ()


def test_equal_demands_make_no_difference() -> None:
    parts = [FoundRoute(("GET",), "/notes/{id}/parts/{part}"), FoundRoute(("GET",), "/notes/{id}/parts/first")]

    assert out_of_order(ROWS, parts) == ()


def test_what_the_policy_does_not_name_is_no_question_of_order() -> None:
    assert out_of_order(ROWS, [FoundRoute(("GET",), "/x/{a}.json"), FoundRoute(("PUT",), "/notes/{a}"), NARROW]) == ()
    assert out_of_order(ROWS, [FoundRoute((), "/notes/{id}"), NARROW]) == ()
