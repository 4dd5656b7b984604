"""Changed accounts: rights within the second, old sessions gone, peppers renewed without a login."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from garrison.accounts.change import end_everything, renew_peppers, set_active, set_password, set_scopes
from garrison.accounts.people import by_operator
from garrison.accounts.user import USERS, User
from garrison.errors import SecretError
from garrison.model.event import Event
from garrison.model.http.refusal import Refusal
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import NEWS
from garrison.stores.protocols import Outcome, Put, Step
from tests.accounts.world import PASSWORD, FullPool, World, Yielding

OTHER = "green armchair 17"
OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def world() -> World:
    world = World()
    world.register()
    return world


def test_a_changed_password_ends_what_the_old_one_opened(world: World) -> None:
    before = world.login().json

    changed = asyncio.run(set_password(world.service, world.user().id, OTHER, by_operator(world.clock.wall())))

    assert isinstance(changed, User)
    assert changed.epoch == 1
    assert not world.believed(before["token"])
    assert world.call("refresh", {"refresh_token": before["refresh_token"]}).status == 401
    assert world.login().status == 401
    assert world.login("ada", OTHER).status == 200
    assert [event.code for event in world.events("authn_password_change")] == ["authn_password_change"]


@pytest.mark.parametrize("password", ["short", "passwordpassword", "ada@example.org ada"])
def test_a_changed_password_obeys_the_rules(world: World, password: str) -> None:
    refusal = asyncio.run(set_password(world.service, world.user().id, password, by_operator(world.clock.wall())))

    assert isinstance(refusal, Refusal)
    assert refusal.status == 422
    assert world.login().status == 200


def test_scopes_count_at_once_for_tokens_that_are_out(world: World) -> None:
    token = world.login().json["token"]

    asyncio.run(set_scopes(world.service, world.user().id, [], by_operator(world.clock.wall())))

    assert world.principal(token).scopes == frozenset()
    assert world.events("authz_change")[0].details["scopes"] == ""


def test_a_disabled_account_is_refused_everywhere_and_comes_back_without_its_sessions(world: World) -> None:
    token, id = world.login().json["token"], world.user().id
    by = by_operator(world.clock.wall())

    asyncio.run(set_active(world.service, id, by, active=False))
    assert not world.believed(token)
    assert world.login().status == 401

    asyncio.run(set_active(world.service, id, by, active=True))
    assert not world.believed(token)
    assert world.login().status == 200
    assert [event.reason for event in world.events("user_archived") + world.events("user_updated")] == [
        "user_disabled",
        "user_enabled",
    ]


def test_every_change_makes_news(world: World) -> None:
    """Other processes hear of it with the same commit."""
    id, by = world.user().id, by_operator(world.clock.wall())
    asyncio.run(set_scopes(world.service, id, [], by))
    asyncio.run(end_everything(world.service, id, by))

    topics = [(item.topic, item.value) for item in asyncio.run(world.records.find(NEWS, "", ""))]
    assert topics.count(("subject", world.user().principal)) == 2
    assert any(topic == "token" for topic, _ in topics)


@pytest.mark.parametrize("change", ["scopes", "active", "end", "password"])
def test_nobody_cannot_be_changed(world: World, change: str) -> None:
    by = by_operator(world.clock.wall())
    calls = {
        "scopes": lambda: set_scopes(world.service, "nobody", [], by),
        "active": lambda: set_active(world.service, "nobody", by, active=True),
        "end": lambda: end_everything(world.service, "nobody", by),
        "password": lambda: set_password(world.service, "nobody", OTHER, by),
    }
    refusal = asyncio.run(calls[change]())

    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_found"


def test_changes_that_race_are_all_made() -> None:
    """Each begins an epoch of its own; none is lost."""
    world = World(records=lambda clock: Yielding(clock, bytes(32)))
    world.register()
    id, by = world.user().id, by_operator(world.clock.wall())

    async def race() -> None:
        await asyncio.gather(*(end_everything(world.service, id, by) for _ in range(5)))

    asyncio.run(race())

    assert world.user().epoch == 5
    assert world.believed(world.login().json["token"])


def test_peppers_are_renewed_while_nobody_logs_in(world: World) -> None:
    """Then the former root key can go."""
    world.register("bob", "blue table 33 lamps")
    rotated = World(records=lambda _: world.records, clock=world.clock, root=(NEW, OLD))

    assert asyncio.run(renew_peppers(rotated.service)) == 2
    assert asyncio.run(renew_peppers(rotated.service)) == 0

    alone = World(records=lambda _: world.records, clock=world.clock, root=(NEW,))
    assert alone.login("ada", PASSWORD).status == 200
    assert alone.login("bob", "blue table 33 lamps").status == 200


def test_a_root_that_went_too_early_is_the_operators_to_mend(world: World) -> None:
    """Nobody's password is called wrong for it."""
    alone = World(records=lambda _: world.records, clock=world.clock, root=(NEW,))

    with pytest.raises(SecretError):
        asyncio.run(renew_peppers(alone.service))
    with pytest.raises(SecretError):
        alone.login()


def test_a_full_pool_changes_no_password(world: World) -> None:
    full = World(records=lambda _: world.records, clock=world.clock, pool=FullPool())

    refusal = asyncio.run(set_password(full.service, world.user().id, OTHER, by_operator(world.clock.wall())))

    assert isinstance(refusal, Refusal)
    assert refusal.code == "busy"
    assert world.login().status == 200


class Contended(MemoryRecords):
    """A store in which somebody else always changes the account first."""

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        for step in steps:
            if isinstance(step, Put) and step.kind == USERS and step.record.version:
                await super().commit([Put(USERS, await self.get(USERS, step.record.id))])  # type: ignore[attr-defined]  # users have ids
        return await super().commit(steps, events)


def test_a_change_that_is_overtaken_for_ever_is_a_conflict() -> None:
    world = World(records=lambda clock: Contended(clock, bytes(32)))
    world.register()
    by = by_operator(world.clock.wall())

    refusal = asyncio.run(set_scopes(world.service, world.user().id, [], by))

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.reason) == ("conflict", "account_overtaken")
    rotated = World(records=lambda _: world.records, clock=world.clock, root=(NEW, OLD))
    assert asyncio.run(renew_peppers(rotated.service)) == 0
