"""Where everything stands: rows that compile into a policy, whatever its defaults are."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.accounts.endpoints import mounts
from garrison.policy.plan import Plan, compile_policy
from garrison.policy.schema import Accounts, All, Defaults, Policy, Requirement


def plans(policy: Policy) -> dict[str, Plan]:
    assert policy.accounts is not None
    rows = tuple((prefix, row, None) for prefix, row in mounts(policy.accounts))
    compiled = compile_policy(policy, endpoints=rows)
    found = {}
    for prefix, row in mounts(policy.accounts):
        match = compiled.find(row.method, (prefix + row.path).replace("{id}", "k1"))
        assert isinstance(match.plan, Plan)  # type: ignore[union-attr]  # a refusal has none, and the test fails
        found[row.name] = match.plan  # type: ignore[union-attr]  # as in the line above
    return found


POLICIES = [
    Policy(accounts=Accounts()),
    Policy(
        accounts=Accounts(prefix="/api/auth", me="/api/me", keys="/api/keys"),
        defaults=Defaults(
            credentials=All(all=("key", "jwt")),
            scopes=("admin:*",),
            own=True,
            public=False,
            sets_cookie=True,
            require=Requirement(fresh="1m", methods=("otp",)),
            limit="1/d per principal",
        ),
    ),
    Policy(accounts=Accounts(), defaults=Defaults(credentials=("key",), limit="2 at once per principal")),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_door_is_open_and_asks_for_nothing(policy: Policy) -> None:
    """A login behind a login could never be reached; an expired token beside a refresh must not refuse it."""
    found = plans(policy)

    for name in ("register", "login", "refresh"):
        plan = found[name]
        assert (plan.public, plan.credentials, plan.scopes, plan.own) == (True, (), (), False)
        assert (plan.fresh, plan.methods, plan.after) == (0, (), ())


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_ones_own_is_never_public(policy: Policy) -> None:
    found = plans(policy)

    for name in ("me", "list_keys", "create_key", "rotate_key", "revoke_key"):
        plan = found[name]
        assert (plan.public, plan.scopes, plan.own) == (False, (), False)
    for name in ("list_keys", "create_key", "rotate_key", "revoke_key"):
        assert (found[name].credentials, found[name].all_credentials, found[name].fresh) == (
            ("jwt",),
            False,
            300_000_000,
        )

    # Whoever holds a refresh token alone may leave with it.
    assert (found["logout"].public, found["logout"].credentials, found["logout"].scopes) == (True, ("jwt",), ())


@pytest.mark.parametrize("policy", POLICIES)
def test_limits_are_per_address_and_spent_before_anything_else(policy: Policy) -> None:
    found = plans(policy)

    for name in ("register", "login", "refresh", "logout"):
        limit = found[name].before[0].limit
        assert (limit.algorithm, limit.count, limit.burst, limit.window) == ("rate", 5, 50, 1_000_000)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_sets_a_cookie_says_so(policy: Policy) -> None:
    """Then cross-site requests are refused even without a cookie: login CSRF."""
    found = plans(policy)

    assert {name for name, plan in found.items() if plan.sets_cookie} == {"register", "login"}


@pytest.mark.parametrize(
    ("accounts", "missing"),
    [(Accounts(keys=""), {"list_keys", "create_key", "rotate_key", "revoke_key"}), (Accounts(me=""), {"me"})],
)
def test_a_part_without_a_place_is_left_out(accounts: Accounts, missing: set[str]) -> None:
    everything = {row.name for _, row in mounts(Accounts())}

    assert everything - {row.name for _, row in mounts(accounts)} == missing


def test_the_paths_are_those_of_the_policy() -> None:
    rows: list[Any] = [f"{row.method} {prefix}{row.path}" for prefix, row in mounts(Accounts(prefix="/api/auth"))]

    assert rows == [
        "POST /api/auth/register",
        "POST /api/auth/login",
        "POST /api/auth/refresh",
        "POST /api/auth/logout",
        "GET /me",
        "GET /keys",
        "POST /keys",
        "POST /keys/{id}/rotate",
        "DELETE /keys/{id}",
    ]
