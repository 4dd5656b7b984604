"""What a believed principal may."""

from __future__ import annotations

import pytest

from garrison.guard.steps.permit import permit
from garrison.model.principal import ANONYMOUS, Principal
from garrison.model.units import MINUTE
from garrison.policy.plan import Plan

NOON = 10**15


def _plan(**demands: object) -> Plan:
    return Plan(route="GET /x", template="/x", **demands)  # type: ignore[arg-type]  # any demand, by name


def _who(*scopes: str, at: int = 0, methods: tuple[str, ...] = ()) -> Principal:
    return Principal(subject="ada", scopes=frozenset(scopes), authenticated_at=at, methods=methods)


@pytest.mark.parametrize("scopes", [("a:read", "a:write"), ("a:*",), ("a:*", "b:read")])
def test_all_scopes_of_a_route_are_demanded_and_stars_cover_them(scopes: tuple[str, ...]) -> None:
    assert permit(_plan(scopes=("a:read", "a:write")), _who(*scopes), NOON) is None


@pytest.mark.parametrize("scopes", [(), ("a:read",), ("a:write",), ("b:*",), ("a",), ("*",), ("a:reader", "a:writer")])
def test_one_scope_missing_is_403(scopes: tuple[str, ...]) -> None:
    refusal = permit(_plan(scopes=("a:read", "a:write")), _who(*scopes), NOON)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "scope_missing")


def test_nobody_has_no_scopes() -> None:
    assert permit(_plan(scopes=("a:read",)), ANONYMOUS, NOON) is not None


@pytest.mark.parametrize("age", [0, 1, 5 * MINUTE - 1])
def test_a_login_is_fresh_for_exactly_as_long_as_the_route_says(age: int) -> None:
    assert permit(_plan(fresh=5 * MINUTE), _who(at=NOON - age), NOON) is None
    assert permit(_plan(fresh=5 * MINUTE), _who(at=NOON - 5 * MINUTE), NOON) is not None


@pytest.mark.parametrize("at", [0, -1, NOON + 6 * MINUTE])
def test_no_login_and_a_login_far_in_the_future_are_not_fresh(at: int) -> None:
    """A key never is: it proves that a program runs, not that a person is there."""
    refusal = permit(_plan(fresh=5 * MINUTE), _who(at=at), NOON)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (401, "freshness_required")


def test_every_demanded_factor_must_have_been_used() -> None:
    plan = _plan(methods=("pwd", "otp"))

    assert permit(plan, _who(methods=("pwd", "otp", "hwk")), NOON) is None
    assert permit(plan, _who(methods=("pwd",)), NOON) is not None
