"""Lanes of tries: exact, whoever races, however the clock steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garrison.accounts.throttle import LANES, ROUNDS, Held, Lane, forget, give_back, take_place
from garrison.limits import parse
from garrison.model.event import Event
from garrison.model.http.refusal import Refusal
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Outcome, Put, Step
from tests.accounts.world import NOON, World, Yielding

MINUTE = 60_000_000
WINDOW = 15 * MINUTE
FIVE = parse("at most 5 in 15m")
ACCOUNT = Lane("account", FIVE, "account")
ADDRESS = Lane("address", parse("at most 7 in 15m"), "address")


def take(world: World, *lanes: Lane, at: int | None = None) -> Held | Refusal:
    if at is not None:
        world.clock.step(at - world.clock.wall())
    return asyncio.run(take_place(world.records, lanes or (ACCOUNT,), world.clock.wall()))


def taken(world: World, times: int, *lanes: Lane) -> int:
    return sum(isinstance(take(world, *lanes), Held) for _ in range(times))


def test_five_pass_and_the_sixth_waits_for_the_first() -> None:
    world = World()

    assert taken(world, 5) == 5

    refusal = take(world, at=NOON + MINUTE)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status, refusal.reason) == ("login_throttled", 429, "lane_full:account")
    assert dict(refusal.headers)[b"retry-after"] == b"840"


def test_retry_after_is_long_enough_and_no_longer() -> None:
    world = World()
    taken(world, 5)

    assert isinstance(take(world, at=NOON + WINDOW - 1), Refusal)
    assert isinstance(take(world, at=NOON + WINDOW), Held)


@given(st.lists(st.integers(0, 6 * MINUTE), min_size=1, max_size=40))
def test_no_stretch_of_fifteen_minutes_holds_more_than_five(gaps: list[int]) -> None:
    """However the guesses are spaced; and from the other side: whoever waits the time told is let in."""
    world, passed = World(), []
    for gap in gaps:
        answer = take(world, at=world.clock.wall() + gap)
        if isinstance(answer, Held):
            passed.append(world.clock.wall())
        else:
            wait = int(dict(answer.headers)[b"retry-after"]) * 1_000_000
            assert isinstance(take(world, at=world.clock.wall() + wait), Held)
            passed.append(world.clock.wall())

    assert all(sum(start <= at < start + WINDOW for at in passed) <= 5 for start in passed)


def test_all_lanes_or_none() -> None:
    """A try that one lane refuses costs nothing in the others: else a throttled account would fill its address."""
    world = World()
    taken(world, 5, ACCOUNT, ADDRESS)

    assert taken(world, 10, ACCOUNT, ADDRESS) == 0
    assert taken(world, 10, ADDRESS) == 2


def test_a_right_password_costs_nothing() -> None:
    world = World()
    for _ in range(50):
        held = take(world, ACCOUNT, ADDRESS)
        assert isinstance(held, Held)
        asyncio.run(give_back(world.records, held))

    assert taken(world, 10, ACCOUNT, ADDRESS) == 5


def test_giving_back_twice_frees_one_place() -> None:
    """A settled try that is settled again must not pay for somebody else's."""
    world = World()
    held = take(world)
    assert isinstance(held, Held)
    world.clock.advance(1)
    taken(world, 4)

    asyncio.run(give_back(world.records, held))
    asyncio.run(give_back(world.records, held))

    assert taken(world, 5) == 1


def test_failures_before_are_counted() -> None:
    world = World()
    taken(world, 3)
    held = take(world)

    assert isinstance(held, Held)
    assert held.failures == 3


def test_a_full_silent_lane_is_not_told() -> None:
    """The guess is not to be looked at, and the other lanes still count it."""
    world, silent = World(), Lane("user", FIVE, "user", silent=True)
    taken(world, 5, silent)

    held = take(world, silent, ADDRESS)

    assert isinstance(held, Held)
    assert held.silenced
    assert held.lanes == (ADDRESS,)
    assert taken(world, 10, silent, ADDRESS) == 6


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    """An hour back costs at most one window."""
    world = World()
    taken(world, 5)

    assert isinstance(take(world, at=NOON - 60 * MINUTE), Refusal)
    assert isinstance(take(world, at=NOON - 60 * MINUTE + WINDOW), Held)


def test_a_smaller_limit_holds_what_was_counted_before() -> None:
    """A policy that gets stricter is in force at once."""
    world = World()
    taken(world, 5)

    assert isinstance(take(world, Lane("account", parse("at most 2 in 15m"), "account")), Refusal)


def test_forget_empties_the_lane() -> None:
    world = World()
    taken(world, 5)

    asyncio.run(forget(world.records, ACCOUNT))
    asyncio.run(forget(world.records, Lane("never", FIVE, "account")))

    assert taken(world, 10) == 5


def test_threads_that_race_get_five_together() -> None:
    """Forty threads, one account: the store's versions let five through, not one more and not one fewer."""
    world = World()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: take(world, ACCOUNT, ADDRESS), range(40)))

    assert sum(isinstance(answer, Held) for answer in answers) == 5
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {"login_throttled"}


@settings(max_examples=20)
@given(st.integers(1, 60))
def test_tasks_that_race_get_five_together(tasks: int) -> None:
    """Reads and commits of all tasks interleave at every step."""

    async def race() -> list[Held | Refusal]:
        world = World()
        records = Yielding(world.clock, bytes(32))
        return await asyncio.gather(*(take_place(records, (ACCOUNT, ADDRESS), NOON) for _ in range(tasks)))

    answers = asyncio.run(race())

    assert sum(isinstance(answer, Held) for answer in answers) == min(tasks, 5)


class Contended(MemoryRecords):
    """A store in which somebody else always changes the lane first."""

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        for step in steps:
            if isinstance(step, Put) and (now := await self.get(LANES, "account")) is not None:
                await super().commit([Put(LANES, now)])
        return await super().commit(steps, events)


def test_endless_contention_ends_in_503() -> None:
    """Rather than in an endless loop, or in a guess that was not counted."""
    world = World()
    records = Contended(world.clock, bytes(32))
    first = asyncio.run(take_place(records, (ACCOUNT,), NOON))
    assert isinstance(first, Held)

    answer = asyncio.run(take_place(records, (ACCOUNT,), NOON))
    asyncio.run(give_back(records, first))

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.status) == ("busy", 503)
    assert len(asyncio.run(records.get(LANES, "account")).log) == 1
    assert asyncio.run(records.get(LANES, "account")).version == 2 * ROUNDS + 1


def test_lanes_expire_by_themselves() -> None:
    """A flood of names that nobody has must not fill the store for ever."""
    world = World()
    taken(world, 1)

    world.clock.advance(WINDOW + 61 * MINUTE)

    assert asyncio.run(world.records.get(LANES, "account")) is None


@pytest.mark.parametrize("address", ["", "unknown"])
def test_lanes_take_any_id(address: str) -> None:
    """What is counted may be anything that a digest was made of."""
    assert taken(World(), 7, Lane(f"a:{address}", FIVE, "address")) == 5
