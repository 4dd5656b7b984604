"""Attack: send many guesses at once, so that all are looked at before the first is counted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.api import Api, sqlite
from tests.accounts.world import PASSWORD, THERE, Counted, World, Yielding

WRONG = "purple mattress 92"


def burst(worlds: Sequence[World], guesses: Sequence[tuple[str, str, str]]) -> list[int]:
    """Send guesses (login, password, address) at once, spread over several processes."""

    async def all_at_once() -> list[int]:
        calls = [
            worlds[n % len(worlds)].calling("login", {"login": login, "password": password}, address=address)
            for n, (login, password, address) in enumerate(guesses)
        ]
        return [answer.status for answer in await asyncio.gather(*calls)]

    return asyncio.run(all_at_once())


@pytest.fixture
def worlds() -> list[World]:
    """Two processes over one store."""
    first = World(records=lambda clock: Yielding(clock, bytes(32)))
    first.register()
    return [first, World(records=lambda _: first.records, clock=first.clock)]


def test_a_burst_from_one_address_gets_five_guesses(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)

    statuses = burst(worlds, [("ada", f"{WRONG} {n}", THERE) for n in range(60)])

    assert sorted(statuses) == [401] * 5 + [429] * 55
    assert len(counted.costs) == 5


def test_a_burst_from_sixty_addresses_gets_five_guesses(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """A botnet is as much a stranger as one machine."""
    counted = Counted(monkeypatch)

    statuses = burst(worlds, [("ada", f"{WRONG} {n}", f"198.51.{n}.1") for n in range(60)])

    assert sorted(statuses) == [401] * 5 + [429] * 55
    assert len(counted.costs) == 5


def test_spellings_of_name_and_address_give_no_more_guesses(
    worlds: list[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten are answered 401, five by name and five by address; but only five are looked at, and none is right."""
    looked_at: list[bool] = []
    real = worlds[0].service.hashing._current.verify.__func__  # type: ignore[attr-defined]  # the function itself

    def noted(self: Any, password: str, stored: str | None, owner: str = "") -> bool:
        looked_at.append(stored is not None)
        return bool(real(self, password, stored, owner))

    monkeypatch.setattr(type(worlds[0].service.hashing._current), "verify", noted)
    logins = ["ada", "ADA", "Ada", "ａda", "ada@example.org", "ADA@EXAMPLE.ORG", "ada@Example.org"]

    burst(worlds, [(logins[n % 7], WRONG, f"198.51.{n}.1") for n in range(60)])

    assert sum(looked_at) == 5


def test_the_right_password_among_the_unseen_guesses_tells_nothing(worlds: list[World]) -> None:
    """Once strangers have had their five, even a right guess by the other name is answered 401."""
    burst(worlds, [("ada", WRONG, f"198.51.{n}.1") for n in range(5)])

    assert burst(worlds, [("ada@example.org", PASSWORD, "192.0.2.77")]) == [401]


def test_a_burst_over_many_names_gets_twenty_guesses(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """Spraying: the count of the address holds in parallel, too."""
    counted = Counted(monkeypatch)

    statuses = burst(worlds, [(f"user{n}", WRONG, THERE) for n in range(60)])

    assert sorted(statuses) == [401] * 20 + [429] * 40
    assert len(counted.costs) == 20


def test_guesses_that_are_abandoned_count(worlds: list[World]) -> None:
    """Whoever hangs up after the place was taken, and before the answer, has still guessed."""

    async def abandoned() -> None:
        for _ in range(5):
            task = asyncio.create_task(worlds[0].calling("login", {"login": "ada", "password": WRONG}, address=THERE))
            for _ in range(30):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(abandoned())

    assert worlds[1].login("ada", WRONG, address=THERE).status == 429


def test_threads_of_two_processes_over_one_file_get_five_guesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's own conditions hold it, not a lock of the process: SQLite opened twice, eight threads each."""
    monkeypatch.chdir(tmp_path)
    apis = [Api(sqlite(tmp_path), hash_memory=7, hash_passes=5) for _ in range(2)]
    apis[0].register("ada")
    pool_jobs: list[int] = []
    for api in apis:
        submit = api.runtime.hash_pool.submit

        def noted(work: Any, *, known: bool = False, submit: Any = submit) -> Any:
            pool_jobs.append(os.getpid())
            return submit(work, known=known)

        monkeypatch.setattr(api.runtime.hash_pool, "submit", noted)
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: apis[n % 2].login("ada", WRONG, peer=f"198.51.{n}.1").status, range(48)))

    assert sorted(replies) == [401] * 5 + [429] * 43
    assert len(pool_jobs) == 5
    for api in apis:
        api.runtime.close()


def test_tasks_of_one_loop_over_a_file_get_five_guesses_and_the_owner_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> None:
    """The side that awaits: commits are grouped by a writer thread, hashes run in the pool."""
    monkeypatch.chdir(tmp_path)
    api = Api(sqlite(tmp_path), hash_memory=7, hash_passes=5)
    api.register("ada", peer="203.0.113.7")

    async def siege() -> tuple[list[int], int]:
        guesses = [
            api.sending("POST", "/auth/login", {"login": "ada", "password": WRONG}, peer=f"198.51.{n}.1")
            for n in range(40)
        ]
        owner = api.sending("POST", "/auth/login", {"login": "ada", "password": PASSWORD}, peer="203.0.113.7")
        *replies, mine = await asyncio.gather(*guesses, owner)
        return [reply.status for reply in replies], mine.status

    statuses, mine = runner.run(siege())

    assert sorted(statuses) == [401] * 5 + [429] * 35
    assert mine == 200
    api.runtime.close()
