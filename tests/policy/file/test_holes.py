"""Holes: what a rule says after a look into one is not kept, and everything else is."""

from __future__ import annotations

import pytest

from garrison.policy.file.holes import Looks
from garrison.policy.schema import Accounts, Cors, Policy, Route
from garrison.policy.table import demands

POLICY = Policy(
    accounts=Accounts(),
    cors={"web": Cors(), "shop": Cors()},
    routes={"GET /a": Route(limit="1/s"), "GET /b": Route()},
)


def test_without_holes_nothing_is_watched() -> None:
    assert Looks(frozenset()).at(POLICY, ()) is POLICY


def test_a_look_beside_a_hole_is_none() -> None:
    looks = Looks(frozenset([("accounts", "fresh")]))

    assert looks.at(POLICY, ()).accounts.prefix == "/auth"
    assert not looks.doubt(("accounts", "prefix"))


def test_a_look_into_a_hole_makes_doubtful_what_is_said_then() -> None:
    looks = Looks(frozenset([("accounts", "fresh")]))

    assert looks.at(POLICY, ()).accounts.fresh == "5m"
    assert looks.doubt(("accounts", "prefix"))
    assert looks.doubt(("routes", "GET /a"))


@pytest.mark.parametrize(
    ("hole", "place", "doubtful"),
    [
        (("routes", "GET /a", "limit"), ("routes", "GET /a", "own"), True),
        (("routes", "GET /a", "limit"), ("routes", "GET /b", "own"), False),
        (("routes", "GET /a", "limit"), ("defaults", "limit"), False),
        (("routes", "GET /a", "limit"), ("cors", "web"), True),
        (("routes", "GET /a", "scopes", 0), ("routes", "GET /a", "scopes", 1), False),
        (("routes", "GET /a", "scopes", 0), ("routes", "GET /a", "scopes"), True),
        (("cors", "web", "origins"), ("cors", "web", "origins", 2), True),
        (("cors", "web"), ("cors", "shop"), False),
        (("jwt", "issuers", "a"), ("jwt", "issuers", "b"), False),
    ],
)
def test_entries_of_one_table_are_apart(
    hole: tuple[str | int, ...], place: tuple[str | int, ...], doubtful: bool
) -> None:
    looks = Looks(frozenset([hole]), {hole})

    assert looks.doubt(place) is doubtful


def test_a_route_has_the_holes_of_the_defaults_where_it_says_nothing() -> None:
    looks = Looks(frozenset([("defaults", "limit")]))
    one, other = (looks.row(row) for row in demands(POLICY))

    assert one.whole.limit == "1/s"
    assert not looks.doubt(("routes", one.name))
    assert other.whole.limit is None
    assert looks.doubt(("routes", other.name))


def test_defaults_that_could_not_be_read_at_all_are_a_hole_in_every_route() -> None:
    looks = Looks(frozenset([("defaults",)]))
    one, _ = (looks.row(row) for row in demands(POLICY))

    assert one.whole.own is None
    assert looks.doubt(("routes", one.name))


def test_an_entry_that_was_left_out_is_seen_by_whoever_lists_the_table() -> None:
    looks = Looks(frozenset([("cors", "wed")]))

    assert list(looks.at(POLICY, ()).cors) == ["web", "shop"]
    assert looks.doubt(("defaults", "cors"))


def test_a_path_as_text_leads_into_a_hole() -> None:
    looks = Looks(frozenset([("cors", "web", "origins", 1)]))

    assert looks.inside("cors.web.origins[1]")
    assert not looks.inside("cors.web.origins[12]")
    assert not looks.inside("cors.web.origins")
