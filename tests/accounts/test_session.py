"""Sessions: renewed one token at a time, ended everywhere at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from garrison.accounts.change import end_everything, set_active, set_scopes
from garrison.accounts.people import by_operator
from garrison.model.principal import Principal
from garrison.tokens.refresh import REFRESH_FAMILIES
from tests.accounts.world import MINUTE, World


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    return world


def refresh(world: World, token: str) -> Any:
    return world.call("refresh", {"refresh_token": token})


def test_refresh_gives_the_next_tokens_of_the_same_login(world: World) -> None:
    first = world.login().json
    world.clock.advance(14 * MINUTE)

    answer = refresh(world, first["refresh_token"])

    assert answer.status == 200
    assert set(answer.json) == {"token", "refresh_token", "token_type", "expires_in", "user"}
    before, after = world.principal(first["token"]), world.principal(answer.json["token"])
    assert (before.session, before.authenticated_at) == (after.session, after.authenticated_at)
    assert answer.json["refresh_token"] != first["refresh_token"]


def test_a_refreshed_login_is_not_a_fresh_one(world: World) -> None:
    """`fresh` counts from the password, or a stolen refresh token would make keys for ever."""
    first = world.login().json
    world.clock.advance(60 * MINUTE)

    principal = world.principal(refresh(world, first["refresh_token"]).json["token"])

    assert world.clock.wall() - principal.authenticated_at == 60 * MINUTE


@pytest.mark.parametrize(
    "token",
    ["x", "grsn_rt_AAAAAAAAAAAA000000_" + "A" * 43, "' or 1=1--", "é" * 50, "a" * 200],
)
def test_what_is_no_refresh_token_is_401(world: World, token: str) -> None:
    answer = refresh(world, token)

    assert (answer.status, answer.code) == (401, "credential_refused")
    assert dict(answer.headers)[b"www-authenticate"] == b'Bearer realm="tasks", error="invalid_token"'


def test_an_access_token_is_no_refresh_token(world: World) -> None:
    assert world.call("refresh", {"refresh_token": world.login().json["token"][:200]}).status == 401


def test_refresh_gives_no_more_than_the_account_may_now(world: World) -> None:
    first = world.login().json
    asyncio.run(set_scopes(world.service, world.user().id, ["tasks:read"], by_operator(world.clock.wall())))

    answer = refresh(world, first["refresh_token"])

    assert answer.json["user"]["scopes"] == ["tasks:read"]
    assert world.principal(answer.json["token"]).scopes == {"tasks:read"}
    assert world.principal(first["token"]).scopes == {"tasks:read"}


def test_rights_gained_later_come_with_the_next_login(world: World) -> None:
    """A session carries what was granted when it began, and never more."""
    first = world.login().json
    more = ["admin:users", "tasks:read", "tasks:write"]
    asyncio.run(set_scopes(world.service, world.user().id, more, by_operator(world.clock.wall())))

    assert "admin:users" not in world.principal(refresh(world, first["refresh_token"]).json["token"]).scopes
    assert "admin:users" in world.principal(world.login().json["token"]).scopes


def test_a_disabled_account_is_not_renewed_and_its_family_is_gone(world: World) -> None:
    first = world.login().json
    asyncio.run(set_active(world.service, world.user().id, by_operator(world.clock.wall()), active=False))

    assert refresh(world, first["refresh_token"]).status == 401
    asyncio.run(set_active(world.service, world.user().id, by_operator(world.clock.wall()), active=True))
    assert refresh(world, first["refresh_token"]).status == 401
    assert not world.believed(first["token"])


def test_a_new_epoch_ends_every_session(world: World) -> None:
    logins = [world.login().json for _ in range(3)]

    asyncio.run(end_everything(world.service, world.user().id, by_operator(world.clock.wall())))

    assert not any(world.believed(login["token"]) for login in logins)
    assert {refresh(world, login["refresh_token"]).status for login in logins} == {401}
    assert world.believed(world.login().json["token"])


def test_logout_ends_its_own_session_and_no_other(world: World) -> None:
    mine, other = world.login().json, world.login().json

    answer = world.call("logout", token=mine["token"])

    assert (answer.status, answer.json) == (200, {"message": "Logged out."})
    assert (b"clear-site-data", b'"cache", "storage"') in answer.headers
    assert not world.believed(mine["token"])
    assert refresh(world, mine["refresh_token"]).status == 401
    assert world.believed(other["token"])
    assert refresh(world, other["refresh_token"]).status == 200


def test_logout_ends_every_token_of_the_session(world: World) -> None:
    """Also the ones that were renewed since."""
    first = world.login().json
    second = refresh(world, first["refresh_token"]).json

    world.call("logout", token=first["token"])

    assert not world.believed(second["token"])
    assert refresh(world, second["refresh_token"]).status == 401


def test_logout_is_in_the_journal(world: World) -> None:
    token = world.login().json["token"]
    session = world.principal(token).session
    world.call("logout", token=token)

    event = world.events("authn_logout")[0]
    assert (event.actor, event.details["session"]) == (world.user().principal, session)


def test_a_credential_without_a_session_has_nothing_to_log_out_of(world: World) -> None:
    service = Principal(subject="s", kind="service", credential="jwt:x")

    assert world.call("logout", principal=service).status == 401


def test_logout_leaves_no_family_in_the_store(world: World) -> None:
    """What is ended is gone, not only refused."""
    token = world.call(
        "register", {"username": "bob", "email": "b@example.org", "password": "green chair 17 blue"}
    ).json
    before = len(asyncio.run(world.records.find(REFRESH_FAMILIES, "", "")))

    world.call("logout", token=token["token"])

    assert len(asyncio.run(world.records.find(REFRESH_FAMILIES, "", ""))) == before - 1


def test_tokens_ended_past_the_accounts_do_not_lock_the_person_out(world: World) -> None:
    """Whoever ends a subject's tokens directly begins a later epoch; the next login begins from there."""
    first = world.login().json
    end = world.revoked.end_subject
    asyncio.run(end(world.records, "tasks", world.user().id, world.clock.wall(), lambda count: bytes(count)))
    assert not world.believed(first["token"])

    again = world.login().json
    assert world.believed(again["token"])
    assert refresh(world, again["refresh_token"]).status == 200

    asyncio.run(end_everything(world.service, world.user().id, by_operator(world.clock.wall())))
    assert not world.believed(again["token"])


def test_me_shows_the_account_and_the_rights_in_effect(world: World) -> None:
    token = world.login().json["token"]

    answer = world.call("me", token=token)

    principal = world.principal(token)
    assert answer.json == {
        "id": world.user().id,
        "username": "ada",
        "email": "ada@example.org",
        "created_at": "2027-01-15T08:00:00Z",
        "principal": f"user:{world.user().id}",
        "kind": "user",
        "credential": principal.credential,
        "scopes": ["tasks:read", "tasks:write"],
    }
    assert dict(answer.headers)[b"cache-control"] == b"no-store"


@pytest.mark.parametrize(
    "principal",
    [
        Principal(subject="s1", kind="service", credential="key:4fQx"),
        Principal(subject="id-bob", kind="user", issuer="https://elsewhere.example", credential="jwt:1"),
        Principal(subject="id-bob", kind="user", tenant="other", credential="jwt:2"),
    ],
)
def test_me_never_takes_a_strangers_subject_for_an_account_here(world: World, principal: Principal) -> None:
    """Another issuer's `sub` may be the same text."""
    world.put_user("bob")

    answer = world.call("me", principal=principal)

    assert set(answer.json) == {"id", "principal", "kind", "credential", "scopes"}
    assert answer.json["principal"] == principal.id
