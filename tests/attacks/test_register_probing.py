"""Attack: ask the registration who has an account here, or make it hash, more often than five times an hour."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from garrison.accounts.people import by_operator, invite
from garrison.guard.drive import drive
from garrison.testing.clock import ManualClock
from tests.accounts.api import Api, Reply, sqlite
from tests.accounts.world import PASSWORD, THERE, Counted

TELLING = {201, 409}
"""Answers that tell whether a name was taken."""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Somebody has an account already."""
    monkeypatch.chdir(tmp_path)
    api = Api()
    assert api.register("ada").status == 201
    return api


def told(replies: list[Reply]) -> int:
    return sum(reply.status in TELLING for reply in replies)


def test_broken_forms_between_the_good_ones_buy_no_further_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that costs nothing gives nothing back either."""
    counted = Counted(monkeypatch)
    replies = []
    for n in range(24):
        replies.append(api.register("ada", peer=THERE))
        replies.append(api.register(f"name{n}", peer=THERE, password="short"))

    assert told(replies) == 5
    assert len(counted.costs) == 5
    assert {reply.status for reply in replies} == {409, 422, 429}


@pytest.mark.parametrize(
    "fault", [{"password": "short"}, {"email": "nobody"}, {"role": "admin"}, {"invite": "x" * 43}, {"invite": 1}]
)
def test_a_broken_form_says_the_same_of_a_taken_and_of_a_free_name(
    api: Api, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """What is not counted must not tell."""
    counted = Counted(monkeypatch)

    taken = api.register("ada", peer=THERE, **fault)
    free = api.register("eve", peer=THERE, **{"email": "ada@example.org", **fault})

    assert taken.status in (403, 422)
    assert taken.json | {"correlation": ""} == free.json | {"correlation": ""}
    assert counted.costs == []


def test_broken_forms_are_bounded_all_the_same(api: Api) -> None:
    """By the limit of the door: 5/s burst 50."""
    statuses = [api.register("eve", peer=THERE, password="short").status for _ in range(60)]

    assert statuses == [422] * 50 + [429] * 10


def test_a_restart_gives_no_further_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clock, replies = ManualClock(), []
    for n in range(8):
        api = Api(sqlite(tmp_path), clock, hash_memory=7, hash_passes=5)
        replies.append(api.register(f"name{n}"))
        api.runtime.close()

    assert [reply.status for reply in replies] == [201] * 5 + [429] * 3


def test_all_addresses_of_one_network_ask_together(api: Api) -> None:
    """Whoever has one IPv6 address has 2**64 of them."""
    replies = [api.register("ada", peer=f"2001:db8:1:2::{n:x}") for n in range(1, 9)]

    assert told(replies) == 5


def test_an_invite_in_hand_buys_no_further_question(api: Api) -> None:
    """A taken name leaves the invite unused, so it could be shown again and again."""
    accounts = api.runtime.driven_side.accounts
    assert accounts is not None
    made = drive(invite(accounts, (), by_operator(api.clock.wall())))

    replies = [api.register("ada", peer=THERE, invite=made.text) for _ in range(8)]

    assert told(replies) == 5


def test_a_burst_over_two_processes_gets_five_answers_and_five_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> None:
    """Awaited and driven, over one file: counted before anything is hashed."""
    monkeypatch.chdir(tmp_path)
    apis = [Api(sqlite(tmp_path), hash_memory=7, hash_passes=5) for _ in range(2)]
    counted, names = Counted(monkeypatch), count()

    def body() -> dict[str, str]:
        name = f"name{next(names)}"
        return {"username": name, "email": f"{name}@example.org", "password": PASSWORD}

    async def siege() -> list[Reply]:
        return await asyncio.gather(*(apis[0].sending("POST", "/auth/register", body()) for _ in range(20)))

    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(apis[1].send, "POST", "/auth/register", body()) for _ in range(20)]
        replies = [*runner.run(siege()), *(thread.result() for thread in threads)]

    assert told(replies) == 5
    assert len(counted.costs) == 5
    for api in apis:
        api.runtime.close()
