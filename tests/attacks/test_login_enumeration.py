"""Attack: find out who has an account, by what a refused login says or by how much work it does."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from garrison.accounts.change import set_active
from garrison.accounts.people import by_operator
from garrison.accounts.user import USERS
from garrison.crypto.password import Cost, Passwords
from tests.accounts.api import Api
from tests.accounts.world import CHEAP, PASSWORD, THERE, Counted, CountedPool, World

WRONG = "purple mattress 92"
OLD = Cost(memory=8 * 1024, passes=1)


@pytest.fixture
def world() -> World:
    """Somebody with an account, somebody whose account is disabled, somebody whose hash has another cost."""
    world = World()
    world.register("ada")
    world.register("edd")
    asyncio.run(set_active(world.service, world.user("edd").id, by_operator(world.clock.wall()), active=False))
    return world


def test_unknown_wrong_and_disabled_are_answered_alike(world: World) -> None:
    answers = [world.login(name, WRONG, address=THERE) for name in ("ada", "ghost", "edd", "ghost@example.org")]
    answers.append(world.login("edd", PASSWORD, address=THERE))

    assert {answer.status for answer in answers} == {401}
    assert all(answer.public == answers[0].public for answer in answers)
    assert not any(answer.cookies for answer in answers)


def test_the_whole_answer_is_alike_on_the_wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, header lines, members and length, after the guard and all."""
    monkeypatch.chdir(tmp_path)
    api = Api()
    api.register("ada")

    known, unknown = api.login("ada", WRONG), api.login("ghost", WRONG)

    assert known.status == 401
    assert known.seen == unknown.seen


@pytest.mark.parametrize("name", ["ada", "edd", "ghost", "ghost@example.org", "' or 1=1--"])
def test_every_refused_login_hashes_once(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Counted, not timed: one job in the pool, one argon2 run at the current cost."""
    assert isinstance(world.pool, CountedPool)
    counted, world.pool.jobs = Counted(monkeypatch), 0

    world.login(name, WRONG, address=THERE)

    assert world.pool.jobs == 1
    assert counted.costs == [(CHEAP.memory, CHEAP.passes)]


def test_while_old_hashes_are_stored_everybody_pays_for_both_costs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dearer old hash told by its duration who has an old account; now each guess runs every cost in use."""
    asyncio.run(World(records=lambda _: world.records, cost=OLD).service.hashing.announce(world.records))
    old = Passwords(world.ring, OLD).hash(PASSWORD, os.urandom, "id-old")
    world.put_user("old", password=old)
    counted = Counted(monkeypatch)
    paid = {}
    for name in ("ada", "old", "ghost", "edd"):
        counted.costs.clear()
        world.login(name, WRONG, address=THERE)
        paid[name] = sorted(counted.costs)

    assert paid["ada"] == paid["old"] == paid["ghost"] == paid["edd"]
    assert len(paid["ada"]) == 2


def test_when_the_last_old_hash_is_gone_nobody_pays_for_it_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(World(records=lambda _: world.records, cost=OLD).service.hashing.announce(world.records))
    world.put_user("old", password=Passwords(world.ring, OLD).hash(PASSWORD, os.urandom, "id-old"))
    assert world.login("old").status == 200
    counted = Counted(monkeypatch)

    world.login("ghost", WRONG)

    assert len(counted.costs) == 1


def test_the_throttle_is_the_same_for_names_that_nobody_has(world: World) -> None:
    """Else the sixth guess tells: 429 for an account, 401 for none."""
    for name in ("ada", "ghost", "edd"):
        answers = [world.login(name, WRONG, address=f"198.51.{len(name)}.{n}") for n in range(1, 8)]

        assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
        assert answers[-1].retry_after == 900


def test_name_and_address_of_one_account_are_not_linked(world: World) -> None:
    """Five guesses by name do not make the address answer 429: that would tell whose address it is."""
    for n in range(5):
        world.login("ada", WRONG, address=f"198.51.100.{n}")

    by_address = world.login("ada@example.org", WRONG, address="198.51.101.1")
    ghost = world.login("ghost@example.org", WRONG, address="198.51.101.2")

    assert by_address.public == ghost.public


def test_registrations_tell_who_is_known_only_five_times_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until addresses are verified by mail a taken name answers 409; so an address may ask five times."""
    monkeypatch.chdir(tmp_path)
    api = Api()
    assert api.register("ada").status == 201

    answers = [api.register("ada").status for _ in range(6)]

    assert answers == [409] * 4 + [429] * 2
    assert api.register("ada", peer=THERE).status == 409


def test_a_taken_name_is_not_told_from_a_taken_address(world: World) -> None:
    by_name = world.register("ada", email="new@example.org")
    by_address = world.register("newname", email="ada@example.org")

    assert by_name.public == by_address.public


def test_registering_a_taken_name_costs_what_a_free_one_costs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    world.register("ada")
    taken = list(counted.costs)
    counted.costs.clear()
    world.register("free")

    assert counted.costs == taken
    assert len(taken) == 1


def test_the_journal_tells_the_operator_all_the_same(world: World) -> None:
    assert world.login("edd", PASSWORD).reason == "account_disabled"
    assert asyncio.run(world.records.find(USERS, "name_key", "edd"))[0].active is False
