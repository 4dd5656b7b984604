"""A revoked key comes back: a fill that was under way, a request that found it hot, a bus that is lost."""

from __future__ import annotations

import asyncio

import pytest

from garrison.credentials.protocol import Owner, Presented
from garrison.guard.drive import drive
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from tests.credentials.world import ADA, ADDRESS, PLAN, SECOND, Gated, People, World


async def _ask(world: World, text: str) -> Principal | Refusal:
    request = Request("GET", "/notes/7", [(b"x-api-key", text.encode())])
    found = world.keys.find(request)
    assert isinstance(found, Presented)
    return await world.keys.believe(found, request, ADDRESS, PLAN, world.clock.wall(), world.clock.monotonic())


def test_a_fill_that_is_under_way_does_not_bring_it_back() -> None:
    """The row was read before the revocation and arrives after it."""
    here = World()
    issued = here.make()
    there = World(beside=here, face=Gated)
    assert isinstance(there.records, Gated)

    assert there.reason(issued.text) == "", "once, so that the next fill is kept"

    async def race(records: Gated) -> tuple[Principal | Refusal, Principal | Refusal]:
        records.gate = asyncio.Event()
        slow = asyncio.ensure_future(_ask(there, issued.text))
        await records.read.acquire()
        drive(here.service.revoke(issued.record.id, here.by()))
        there.news.tell("key", issued.record.id, here.clock.wall())
        records.gate.set()
        return await slow, await _ask(there, issued.text)

    for answer in asyncio.run(race(there.records)):
        assert isinstance(answer, Refusal)
        assert answer.reason == "key_revoked"


def test_an_owner_who_loses_a_right_in_the_middle_of_a_fill() -> None:
    people = People((ADA.id, Owner(frozenset(("notes:write",)))))
    world = World(owners=people, face=Gated)
    assert isinstance(world.records, Gated)
    issued = world.make(ADA, scopes=("notes:write",))
    assert world.reason(issued.text) == "", "once, so that the next fill is kept"

    async def race(records: Gated) -> Principal | Refusal:
        records.gate = asyncio.Event()
        slow = asyncio.ensure_future(_ask(world, issued.text))
        await records.read.acquire()
        people.owners.clear()
        world.news.tell("subject", ADA.id, world.clock.wall())
        records.gate.set()
        await slow
        return await _ask(world, issued.text)

    answer = asyncio.run(race(world.records))

    assert isinstance(answer, Refusal)
    assert answer.reason == "key_owner_gone"


def test_a_request_that_found_it_hot_does_not_pass_with_it() -> None:
    """Between `find` and `believe` the limits of the address are spent: time enough for a revocation."""
    world = World()
    issued = world.make()
    world.heat(issued.text)
    request = Request("GET", "/notes/7", [(b"x-api-key", issued.text.encode())])
    found = world.keys.find(request)
    assert isinstance(found, Presented)
    assert found.extra is not None
    drive(world.service.revoke(issued.record.id, world.by()))

    answer = drive(world.keys.believe(found, request, ADDRESS, PLAN, world.clock.wall(), world.clock.monotonic()))

    assert isinstance(answer, Refusal)
    assert answer.reason == "key_revoked"


def test_a_process_that_hears_nothing_refuses_within_a_second() -> None:
    here = World()
    issued = here.make()
    deaf = World(beside=here)
    deaf.heat(issued.text)
    drive(here.service.revoke(issued.record.id, here.by()))

    deaf.clock.advance(SECOND)

    assert deaf.reason(issued.text) == "key_revoked"


@pytest.mark.parametrize("seconds", [2, 8, 30, 60, 600, 7_200])
def test_news_missed_while_deaf_is_not_forgotten_by_hearing_again(seconds: int) -> None:
    """However long it was deaf: it reads what it missed, and what it can read no more it does not trust."""
    here = World()
    issued = here.make()
    deaf = World(beside=here)
    deaf.heat(issued.text)
    drive(here.service.revoke(issued.record.id, here.by()))

    deaf.clock.advance(seconds * SECOND)
    deaf.hear()

    assert deaf.reason(issued.text) == "key_revoked"


@pytest.mark.parametrize("change", ["revoke", "quarantine"])
def test_every_change_is_heard(change: str) -> None:
    here = World()
    issued = here.make()
    there = World(beside=here)
    there.heat(issued.text, method="POST")
    drive(getattr(here.service, change)(issued.record.id, here.by()))
    there.clock.advance(1)
    there.hear()

    assert there.reason(issued.text, method="POST") != ""
