"""First users: made by hand, invited, or drawn at the first start."""

from __future__ import annotations

import asyncio

import pytest

from garrison.accounts.people import by_operator, create_user, seed
from garrison.accounts.user import USERS, User
from garrison.model.http.refusal import Refusal
from tests.accounts.world import PASSWORD, FullPool, World, Yielding


def create(world: World, name: str = "root", password: str = PASSWORD) -> User | Refusal:
    by = by_operator(world.clock.wall())
    return asyncio.run(create_user(world.service, name, f"{name}@example.org", password, ["admin:*"], by))


def test_the_operator_makes_an_admin() -> None:
    world = World(register=False)

    made = create(world)

    assert isinstance(made, User)
    assert world.principal(world.login("root").json["token"]).scopes == {"admin:*"}
    event = world.events("user_created")[0]
    assert (event.actor, event.subject, event.severity) == ("operator:console", made.principal, "warning")


def test_the_operators_users_obey_the_rules() -> None:
    """Also an admin's password is not `password`."""
    world = World()
    refusal = create(world, password="password")

    assert isinstance(refusal, Refusal)
    assert refusal.status == 422


def test_a_taken_name_is_told() -> None:
    world = World()
    create(world)
    again = create(world, "ROOT")

    assert isinstance(again, Refusal)
    assert again.code == "account_exists"


def test_the_first_start_draws_an_admin_and_a_demo_user_with_a_key_each() -> None:
    world = World(environment="development")

    people = asyncio.run(seed(world.service, world.clock.wall()))

    assert [person.username for person in people] == ["admin", "demo"]
    assert people[0].scopes == ("admin:*", "tasks:read", "tasks:write")
    assert people[1].scopes == ("tasks:read", "tasks:write")
    for person in people:
        assert world.login(person.username, person.password).status == 200
        assert person.key.startswith("grsn_sk_")
        assert len(person.password) == 22
    owned = world.call("list_keys", token=world.login("demo", people[1].password).json["token"])
    assert [key["scopes"] for key in owned.json["keys"]] == [["tasks:read", "tasks:write"]]


def test_a_second_start_draws_nobody() -> None:
    world = World()
    asyncio.run(seed(world.service, world.clock.wall()))

    assert asyncio.run(seed(world.service, world.clock.wall())) == ()
    assert len(asyncio.run(world.records.find(USERS, "", ""))) == 2


def test_two_first_starts_at_once_print_one_set_of_passwords() -> None:
    """Two workers come up together: one wins the whole of it."""
    world = World(records=lambda clock: Yielding(clock, bytes(32)))

    async def both() -> list[int]:
        return [len(people) for people in await asyncio.gather(*(seed(world.service, 1) for _ in range(4)))]

    assert sorted(asyncio.run(both())) == [0, 0, 0, 2]


@pytest.mark.parametrize("name", ["admin", "demo", "ADMIN"])
def test_a_name_that_is_taken_stops_the_first_start(name: str) -> None:
    """It must not print a password that is somebody else's account's."""
    world = World()
    world.register(name)

    assert asyncio.run(seed(world.service, world.clock.wall())) == ()
    assert len(asyncio.run(world.records.find(USERS, "", ""))) == 1


def test_the_store_holds_none_of_the_printed_secrets() -> None:
    world = World()
    people = asyncio.run(seed(world.service, world.clock.wall()))

    stored = repr(asyncio.run(world.records.find(USERS, "", ""))) + repr(world.events())
    assert not any(person.password in stored or person.key in stored for person in people)


def test_a_full_pool_makes_nobody() -> None:
    world = World(pool=FullPool())

    made = create(world)

    assert isinstance(made, Refusal)
    assert made.code == "busy"
    assert asyncio.run(seed(world.service, 1)) == ()
    assert asyncio.run(world.records.find(USERS, "", "")) == ()
