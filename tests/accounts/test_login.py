"""Logging in: what the answer says, what is remembered, what the journal learns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from garrison.accounts.change import set_active, set_password
from garrison.accounts.login import METHODS
from garrison.accounts.people import by_operator
from garrison.accounts.user import USERS, User
from garrison.crypto.password import Cost
from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Outcome, Put, Require, Step
from tests.accounts.world import HERE, MINUTE, PASSWORD, THERE, FullPool, World

WRONG = "purple mattress 92"


@pytest.fixture
def world() -> World:
    world = World()
    assert world.register().status == 201
    return world


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@EXAMPLE.org"])
def test_name_or_address_logs_in(world: World, login: str) -> None:
    answer = world.login(login)

    assert answer.status == 200
    assert set(answer.json) == {"token", "refresh_token", "token_type", "expires_in", "user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    assert answer.json["user"]["username"] == "ada"
    assert dict(answer.headers)[b"cache-control"] == b"no-store"


def test_the_token_says_who_how_and_when(world: World) -> None:
    principal = world.principal(world.login().json["token"])

    assert principal.id == world.user().principal
    assert principal.methods == METHODS
    assert principal.authenticated_at == world.clock.wall()
    assert principal.session
    assert principal.scopes == {"tasks:read", "tasks:write"}


def test_every_login_is_a_session_of_its_own(world: World) -> None:
    sessions = {world.principal(world.login().json["token"]).session for _ in range(5)}

    assert len(sessions) == 5


@pytest.mark.parametrize("login", ["ada", "nobody", "nobody@example.org"])
def test_a_refused_login_asks_for_a_credential_and_hides_why(world: World, login: str) -> None:
    answer = world.login(login, WRONG)

    assert (answer.status, answer.code) == (401, "login_refused")
    assert dict(answer.headers)[b"www-authenticate"] == b'Bearer realm="tasks"'
    assert answer.cookies == []


def test_the_journal_learns_which_it_was(world: World) -> None:
    """And nothing that was typed: people type passwords into the wrong field."""
    world.put_user("bob", active=False)
    refusals = [world.login(name, WRONG).refusal for name in ("ada", "hunter2hunter2", "bob")]

    assert [refusal.reason for refusal in refusals if refusal] == [
        "password_wrong",
        "account_unknown",
        "account_disabled",
    ]
    assert refusals[0] is not None
    assert refusals[0].subject == world.user().principal
    assert refusals[1] is not None
    assert refusals[1].subject.startswith("login:")
    assert "hunter2" not in repr(refusals[1])


def test_the_device_comes_with_a_cookie_and_is_known_the_next_time(world: World) -> None:
    cookies = world.login().cookies
    again = world.login(cookies=cookies)

    assert again.cookies == cookies
    assert [event.details["known_device"] for event in world.events("authn_login_success")] == [False, True]


def test_a_cookie_of_somebody_elses_making_is_not_adopted_as_known(world: World) -> None:
    """A token chosen by an attacker is a device like any other: known only after the owner logged in on it."""
    world.login("ada", WRONG, cookies=[b"__Host-garrison_device=" + b"A" * 32])

    assert len(world.user().devices) == 1


def test_a_login_event_has_the_session_and_the_failures_before(world: World) -> None:
    world.login("ada", WRONG, address=THERE)
    world.login("ada", WRONG, address=THERE)
    session = world.principal(world.login(address=THERE).json["token"]).session

    event = world.events("authn_login_successafterfail")[0]
    assert event.details == {"session": session, "methods": "pwd", "failures": 2, "known_device": False}
    assert (event.actor, event.address, event.correlation) == (world.user().principal, THERE, "c1")


def test_a_login_renews_a_hash_of_another_cost() -> None:
    """ASVS 5.0 11.4.2: whoever raises the cost reaches everybody who logs in."""
    world = World()
    world.register()
    before = world.user()
    dear = World(records=lambda _: world.records, clock=world.clock, cost=Cost(memory=8 * 1024, passes=1))

    assert dear.login().status == 200

    assert (before.cost, world.user().cost) == ("m=7168,t=1,p=1", "m=8192,t=1,p=1")
    assert dear.login().status == 200


def test_a_login_after_the_root_key_was_rotated_renews_the_pepper() -> None:
    world = World()
    world.register()
    old, new = bytes(range(32)), bytes(range(1, 33))
    rotated = World(records=lambda _: world.records, clock=world.clock, root=(new, old))
    alone = World(records=lambda _: world.records, clock=world.clock, root=(new,))

    assert rotated.login().status == 200
    assert alone.login().status == 200


def test_a_device_known_under_the_former_root_key_is_still_known() -> None:
    world = World()
    cookies = world.register().cookies
    rotated = World(records=lambda _: world.records, clock=world.clock, root=(bytes(range(1, 33)), bytes(range(32))))

    rotated.login(cookies=cookies)

    assert world.events("authn_login_success")[0].details["known_device"]


class Overtaken(MemoryRecords):
    """A store in which something happens to the account right before a login is stored."""

    happens: Any = None

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        if self.happens and events and events[0].code.startswith("authn_login"):
            happens, self.happens = self.happens, None
            await happens()
        return await super().commit(steps, events)


@pytest.fixture
def overtaken() -> World:
    world = World(records=lambda clock: Overtaken(clock, bytes(32)))
    world.register()
    return world


def test_no_login_outlives_a_password_that_changed_meanwhile(overtaken: World) -> None:
    """The password was right when it was looked at; what counts is the instant at which the login is stored."""
    id = overtaken.user().id
    overtaken.records.happens = lambda: set_password(
        overtaken.service, id, "green armchair 17", by_operator(overtaken.clock.wall())
    )

    answer = overtaken.login()

    assert (answer.status, answer.reason) == (401, "account_changed")
    assert overtaken.login("ada", "green armchair 17").status == 200


def test_no_login_outlives_an_account_that_was_disabled_meanwhile(overtaken: World) -> None:
    id = overtaken.user().id
    overtaken.records.happens = lambda: set_active(
        overtaken.service, id, by_operator(overtaken.clock.wall()), active=False
    )

    assert overtaken.login().status == 401


def test_a_harmless_change_meanwhile_does_not_refuse_the_login(overtaken: World) -> None:
    """Two logins of one person at once: both get in, both devices are remembered."""

    async def elsewhere() -> None:
        await overtaken.calling("login", {"login": "ada", "password": PASSWORD}, address=THERE)

    overtaken.records.happens = elsewhere

    assert overtaken.login().status == 200
    assert len(overtaken.user().devices) == 3
    assert len(overtaken.user().networks) == 2


def test_parallel_logins_of_one_person_all_get_in(world: World) -> None:
    """The lane gives places back, and no login fails for another's sake."""

    async def five() -> list[Any]:
        return await asyncio.gather(*(world.calling("login", {"login": "ada", "password": PASSWORD}) for _ in range(5)))

    assert [answer.status for answer in asyncio.run(five())] == [200] * 5
    assert world.login().status == 200


def test_a_full_pool_is_503_and_costs_no_try() -> None:
    """Else a flood that fills the pool would also lock everybody out."""
    world = World(pool=FullPool())
    world.put_user("ada", password=world.passwords.hash(PASSWORD, lambda n: bytes(n), "id-ada"))

    answers = [world.login() for _ in range(8)]

    assert {(answer.status, answer.code) for answer in answers} == {(503, "busy")}
    assert answers[0].retry_after >= 1


def test_throttled_after_five_and_free_again_after_fifteen_minutes(world: World) -> None:
    """The chapter's numbers: five failures, fifteen minutes, 429."""
    assert [world.login("ada", WRONG).status for _ in range(6)] == [401] * 5 + [429]
    refused = world.login()
    assert (refused.status, refused.code) == (429, "login_throttled")
    assert refused.retry_after == 900

    world.clock.advance(15 * MINUTE)

    assert world.login().status == 200


def test_the_policy_says_how_many() -> None:
    world = World(failures="at most 2 in 1m")
    world.register()

    assert [world.login("ada", WRONG).status for _ in range(3)] == [401, 401, 429]
    world.clock.advance(MINUTE)
    assert world.login().status == 200


def test_an_address_has_a_count_over_all_accounts(world: World) -> None:
    """Spraying one password over many names: twenty tries, then 429, whoever is asked for."""
    answers = [world.login(f"user{n}", WRONG, address=THERE).status for n in range(21)]

    assert answers == [401] * 20 + [429]
    assert world.login(address=THERE).status == 429
    assert world.login(address=HERE).status == 200


def test_addresses_of_one_network_are_one_source(world: World) -> None:
    """A household has 2**64 addresses of IPv6."""
    answers = [world.login(f"user{n}", WRONG, address=f"2001:db8:1:2::{n:x}").status for n in range(1, 22)]

    assert answers == [401] * 20 + [429]
    assert world.login("userX", WRONG, address="2001:db8:1:3::1").status == 401


def test_what_the_owner_mistyped_on_a_known_device_is_forgiven(world: World) -> None:
    cookies = world.login().cookies
    for _ in range(4):
        assert world.login("ada", WRONG, cookies=cookies).status == 401

    assert world.login(cookies=cookies).status == 200
    assert [world.login("ada", WRONG, cookies=cookies).status for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"login": "ada"},
        {"login": "ada", "password": ""},
        {"login": "", "password": "x"},
        {"login": "a" * 255, "password": "x"},
        {"login": "ada", "password": "x", "remember": True},
    ],
)
def test_a_body_that_is_not_as_it_must_be(world: World, body: Any) -> None:
    assert world.call("login", body).status == 422


def test_development_over_plain_http_gets_a_plain_cookie() -> None:
    world = World(environment="development")
    answer = world.register()
    over_http = world.login(scheme="http")

    assert answer.set_cookies[0].startswith("__Host-")
    assert over_http.set_cookies[0].startswith("garrison_device=")
    assert "Secure" not in over_http.set_cookies[0]
    assert world.login(scheme="http", cookies=over_http.cookies).cookies == over_http.cookies


@pytest.mark.parametrize(
    "stored", ["", "$", "$garrison1$m=99999999,t=2,p=1$x$y", "$2b$12$abcdefghijklmnopqrstuv", "plain"]
)
def test_an_account_without_a_hash_of_ours_cannot_be_guessed(world: World, stored: str) -> None:
    """Such as one that logs in elsewhere, or that somebody planted."""
    bob = world.put_user("bob")
    world.change_user(bob, password=stored)

    assert world.login("bob", "anything at all").status == 401
    assert world.login("bob", stored or "x").status == 401


def test_users_is_the_only_kind_that_a_login_finds(world: World) -> None:
    found: Sequence[User] = asyncio.run(world.records.find(USERS, "", ""))
    assert [user.name for user in found] == ["ada"]


def test_a_login_that_is_overtaken_for_ever_is_refused(overtaken: World) -> None:
    """Somebody changes the account each time right before the login is stored; it ends all the same."""

    async def changed() -> None:
        user = (await overtaken.records.find(USERS, "name_key", "ada"))[0]
        await overtaken.records.commit([Put(USERS, user)])
        overtaken.records.happens = changed

    overtaken.records.happens = changed

    assert overtaken.login(address=THERE).reason == "account_changed"


class _Failing(MemoryRecords):
    """A store that cannot write logins for a while; lanes, which lie elsewhere, it can."""

    down = False

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        if self.down and any(isinstance(step, Require) for step in steps):
            raise StoreError("records")
        return await super().commit(steps, events)


def test_our_own_fault_is_no_wrong_password() -> None:
    """A store that fails for a minute must not throttle everybody who tried meanwhile for fifteen."""
    world = World(records=lambda clock: _Failing(clock, bytes(32)))
    assert world.register().status == 201
    world.records.down = True
    for _ in range(12):
        with pytest.raises(StoreError):
            world.login()
    world.records.down = False

    assert world.login().status == 200
    assert [world.login(password=WRONG).status for _ in range(6)] == [401] * 5 + [429]
