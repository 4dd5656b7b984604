"""Password work through a pool: right, renewed when it is old, and the same for everybody."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from garrison.accounts.passwords.hashing import Checked, Hashing, cost_name
from garrison.crypto.password import Cost, Passwords
from garrison.crypto.ring import KeyRing
from garrison.errors import UsageError
from garrison.model.http.refusal import Refusal, refuse
from tests.accounts.world import CHEAP, Counted, World

RING = KeyRing([bytes(range(32))])
OTHER = Cost(memory=8 * 1024, passes=1)


class Inline:
    """Does the work at once and counts what it cost."""

    def __init__(self) -> None:
        self.jobs = 0

    async def run(self, work: Callable[[], Any], *, known: bool = False) -> Any:
        self.jobs += 1
        return work()


class Full:
    """A pool without room."""

    async def run(self, work: Callable[[], Any], *, known: bool = False) -> Any:
        return refuse("busy")


def hashing(cost: Cost = CHEAP, ring: KeyRing = RING) -> Hashing:
    return Hashing(ring, Inline(), os.urandom, cost)


def check(hashing: Hashing, password: str, stored: str | None, *others: str) -> Checked:
    answer = asyncio.run(hashing.check(password, stored, "ada", others))
    assert isinstance(answer, Checked)
    return answer


def stored(password: str = "correct horse", cost: Cost = CHEAP) -> str:
    return Passwords(RING, cost).hash(password, os.urandom, "ada")


def test_the_right_password_is_right_and_no_other() -> None:
    assert check(hashing(), "correct horse", stored()) == Checked(right=True)
    assert check(hashing(), "correct horsf", stored()) == Checked(right=False)


def test_nobody_has_no_password() -> None:
    """Not even the empty one."""
    assert not check(hashing(), "", None).right


def test_a_hash_of_another_owner_is_wrong() -> None:
    """A writer of the store who copies his own hash into another's row gains nothing."""
    mine = Passwords(RING, CHEAP).hash("correct horse", os.urandom, "eve")

    assert not check(hashing(), "correct horse", mine).right


def test_a_login_renews_an_old_hash() -> None:
    """Raising the cost in the policy reaches everybody who logs in."""
    renewed = check(hashing(), "correct horse", stored(cost=OTHER)).renewed

    assert cost_name(renewed) == "m=7168,t=1,p=1"
    assert check(hashing(), "correct horse", renewed) == Checked(right=True)


def test_a_login_renews_an_old_pepper() -> None:
    """After the root key was rotated."""
    rotated = KeyRing([bytes(range(1, 33)), bytes(range(32))])
    renewed = check(hashing(ring=rotated), "correct horse", stored()).renewed

    alone = KeyRing([bytes(range(1, 33))])
    assert check(hashing(ring=alone), "correct horse", renewed) == Checked(right=True)


def test_a_wrong_guess_renews_nothing() -> None:
    assert check(hashing(), "wrong", stored(cost=OTHER)).renewed == ""


def test_a_full_pool_is_a_refusal() -> None:
    full = Hashing(RING, Full(), os.urandom, CHEAP)

    assert isinstance(asyncio.run(full.check("x", None, "ada")), Refusal)
    assert isinstance(asyncio.run(full.hash("x", "ada")), Refusal)


@pytest.mark.parametrize("others", [(), ("m=8192,t=1,p=1",)])
def test_every_wrong_guess_pays_for_every_cost_once(monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...]) -> None:
    """Old, new and no account: the same list of argon2 runs, whatever order."""
    counted = Counted(monkeypatch)
    paid = []
    for held in (None, stored(), *([stored(cost=OTHER)] if others else [])):
        counted.costs.clear()
        check(hashing(), "wrong", held, *others)
        paid.append(sorted(counted.costs))

    assert all(each == paid[0] for each in paid)
    assert len(paid[0]) == 1 + len(others)


def test_costs_in_use_are_known_to_the_store() -> None:
    """A process that comes up with a new cost knows which old hashes are still there."""
    world = World()
    asyncio.run(hashing(OTHER).announce(world.records))
    asyncio.run(hashing(OTHER).announce(world.records))
    now = hashing()
    asyncio.run(now.announce(world.records))

    assert asyncio.run(now.others(world.records, world.users)) == ()
    world.put_user(password=stored(cost=OTHER))
    assert asyncio.run(now.others(world.records, world.users)) == ("m=8192,t=1,p=1",)


def test_a_cost_that_is_none_is_refused() -> None:
    """The store cannot make a login take all memory."""
    with pytest.raises(UsageError):
        check(hashing(), "x", None, "m=99999999,t=1,p=1")
