"""Registering: the table of answers, one winner of a name, invites that work once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from garrison.accounts.people import by_operator, invite
from garrison.accounts.throttle import LANES
from garrison.accounts.user import USERS
from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Outcome, Put, Step
from tests.accounts.world import MINUTE, PASSWORD, THERE, FullPool, World, Yielding

BODY = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}


def test_a_new_account_answers_201_with_tokens() -> None:
    world = World()
    answer = world.register()

    assert answer.status == 201
    assert set(answer.json) == {"message", "token", "refresh_token", "token_type", "expires_in", "user"}
    assert answer.json["user"] == {
        "id": world.user().id,
        "username": "ada",
        "email": "ada@example.org",
        "scopes": ["tasks:read", "tasks:write"],
        "created_at": "2027-01-15T08:00:00Z",
    }
    assert world.principal(answer.json["token"]).id == world.user().principal


def test_the_place_of_registration_is_known() -> None:
    """The first login afterwards is not a stranger's."""
    world = World()
    cookies = world.register().cookies

    world.login(cookies=cookies)

    assert world.events("authn_login_success")[0].details["known_device"]
    assert len(world.user().networks) == 1


@pytest.mark.parametrize(
    "twin",
    [
        {"username": "ada", "email": "other@example.org"},
        {"username": "ADA", "email": "other@example.org"},
        {"username": "other", "email": "ada@example.org"},
        {"username": "other", "email": "ADA@example.org"},
    ],
)
def test_a_known_name_or_address_answers_409_and_not_which(twin: dict[str, str]) -> None:
    world = World()
    world.register()

    answer = world.call("register", {**BODY, **twin})

    assert (answer.status, answer.code) == (409, "account_exists")
    assert answer.cookies == []
    assert world.login().status == 200


def test_of_many_that_want_one_name_exactly_one_gets_it() -> None:
    world = World(records=lambda clock: Yielding(clock, bytes(32)))

    async def race() -> list[int]:
        bodies = [{**BODY, "email": f"ada{n}@example.org"} for n in range(8)]
        calls = [world.calling("register", body, address=f"198.51.100.{n}") for n, body in enumerate(bodies)]
        return [answer.status for answer in await asyncio.gather(*calls)]

    assert sorted(asyncio.run(race())) == [201] + [409] * 7
    assert len(asyncio.run(world.records.find(USERS, "", ""))) == 1


def test_nothing_is_stored_half() -> None:
    """A refused registration leaves neither an account nor a session nor an event."""
    world = World()
    world.register()
    events, families = len(world.events()), len(asyncio.run(world.records.find(*_families())))

    world.register()

    assert len(world.events()) == events
    assert len(asyncio.run(world.records.find(*_families()))) == families


def _families() -> tuple[Any, str, str]:
    from garrison.tokens.refresh import REFRESH_FAMILIES

    return REFRESH_FAMILIES, "", ""


def test_every_bad_field_is_told_and_nothing_is_hashed() -> None:
    world = World()
    answer = world.call("register", {"username": "a", "email": "b", "password": "c"})

    assert answer.status == 422
    assert answer.refusal is not None
    assert [error["path"] for error in answer.refusal.members["errors"]] == ["username", "email", "password"]
    assert world.pool.jobs == 0  # type: ignore[attr-defined]  # the world's own pool counts


def test_whoever_mistypes_is_not_shut_out() -> None:
    """A form that was never a registration is none of the five."""
    world = World()
    for _ in range(20):
        assert world.register(password="short").status == 422

    assert world.register().status == 201


def test_the_sixth_registration_of_an_address_waits_for_the_first() -> None:
    """Told like any limit: which one, and for how long."""
    world = World()
    for n in range(5):
        assert world.register(f"user{n}").status == 201
        world.clock.advance(MINUTE)

    refused = world.register("user5")

    assert (refused.status, refused.code, refused.reason) == (429, "limit_exceeded", "limit:at-most-5-in-1h")
    assert refused.retry_after == 55 * 60
    world.clock.advance(55 * MINUTE)
    assert [world.register(f"user{n}").status for n in (5, 6)] == [201, 429]


def test_registrations_of_another_address_are_its_own() -> None:
    world = World()
    for n in range(6):
        world.register(f"user{n}")

    assert world.register("ada", address=THERE).status == 201


def test_a_closed_registration_takes_invites_alone() -> None:
    world = World(register=False)

    assert (world.register().status, world.register().code) == (403, "invite_required")


def test_an_unknown_a_used_and_an_ended_invite_are_told_alike_and_as_what_they_are() -> None:
    world = World(register=False)
    used, ended = (asyncio.run(invite(world.service, (), by_operator(world.clock.wall()), life)) for life in (9, 1))
    assert world.register(invite=used.text).status == 201
    world.clock.advance(1)

    answers = [world.register("bob", invite=text) for text in ("x" * 43, used.text, ended.text)]

    assert {(answer.status, answer.code) for answer in answers} == {(403, "invite_refused")}
    assert all(answer.public == answers[0].public for answer in answers)


def test_an_invite_works_once_and_gives_its_scopes() -> None:
    world = World(register=False)
    made = asyncio.run(invite(world.service, ("admin:*", "tasks:read"), by_operator(world.clock.wall())))

    answer = world.register(invite=made.text)

    assert answer.status == 201
    assert answer.json["user"]["scopes"] == ["admin:*", "tasks:read"]
    assert world.register("bob", invite=made.text).code == "invite_refused"
    assert [event.details.get("invite") for event in world.events("user_created")] == [made.invite.name]


def test_of_many_that_use_one_invite_exactly_one_gets_in() -> None:
    world = World(records=lambda clock: Yielding(clock, bytes(32)), register=False)
    made = asyncio.run(invite(world.service, (), by_operator(world.clock.wall())))

    async def race() -> list[str]:
        bodies = [{"username": f"ada{n}", "email": f"ada{n}@example.org"} for n in range(8)]
        bodies = [{**BODY, **body, "invite": made.text} for body in bodies]
        calls = [world.calling("register", body, address=f"198.51.100.{n}") for n, body in enumerate(bodies)]
        return [answer.code for answer in await asyncio.gather(*calls)]

    assert sorted(asyncio.run(race())) == [""] + ["invite_refused"] * 7


def test_a_taken_name_does_not_use_up_the_invite() -> None:
    world = World()
    world.register()
    made = asyncio.run(invite(world.service, (), by_operator(world.clock.wall())))

    assert world.register(invite=made.text).status == 409
    assert world.register("bob", invite=made.text).status == 201


def test_an_invite_ends() -> None:
    world = World(register=False)
    made = asyncio.run(invite(world.service, (), by_operator(world.clock.wall()), 10 * MINUTE))

    world.clock.advance(10 * MINUTE)

    assert world.register(invite=made.text).status == 403


def test_an_invite_made_under_the_former_root_key_works() -> None:
    world = World(register=False)
    made = asyncio.run(invite(world.service, (), by_operator(world.clock.wall())))
    root = (bytes(range(1, 33)), bytes(range(32)))
    rotated = World(records=lambda _: world.records, clock=world.clock, root=root, register=False)

    assert rotated.register(invite=made.text).status == 201


def test_a_wrong_invite_is_refused_where_none_is_needed() -> None:
    """Whoever was invited must not silently become less than promised."""
    assert World().register(invite="x" * 43).status == 403


def test_the_store_never_holds_the_invite() -> None:
    world = World()
    made = asyncio.run(invite(world.service, (), by_operator(world.clock.wall())))

    assert made.text not in repr(made.invite)
    assert all(made.text not in repr(event) for event in world.events())


def test_a_device_that_is_there_already_is_kept() -> None:
    """Two people of one browser share the device and nothing else."""
    world = World()
    cookies = world.register().cookies

    assert world.register("bob", cookies=cookies, address=THERE).cookies == cookies
    assert world.user("bob").devices[0].digest == world.user("ada").devices[0].digest


def test_a_full_pool_is_503_and_stores_nothing() -> None:
    world = World(pool=FullPool())

    answer = world.register()

    assert (answer.status, answer.code) == (503, "busy")
    assert asyncio.run(world.records.find(USERS, "", "")) == ()


class Failing(MemoryRecords):
    """A store that cannot keep accounts."""

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        if any(isinstance(step, Put) and step.kind == USERS for step in steps):
            raise StoreError("down")
        return await super().commit(steps, events)


def test_our_own_fault_is_none_of_the_five() -> None:
    failing = World(records=lambda clock: Failing(clock, bytes(32)))
    for _ in range(8):
        with pytest.raises(StoreError):
            failing.register()

    (lane,) = asyncio.run(failing.records.find(LANES, "", ""))
    assert lane.log == ()


def test_whoever_met_a_full_pool_may_come_again() -> None:
    """Nothing was hashed and nobody was told of, so nothing was spent."""
    full = World(pool=FullPool())
    assert [full.register().status for _ in range(8)] == [503] * 8

    world = World(records=lambda _: full.records, clock=full.clock)

    assert world.register().status == 201
