"""A flood of strangers must not keep out who is known, nor anybody from logging in; one of logins must not either."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.test_gate import POLICY, Busy, played
from tests.adapters.world import at_work, key_of


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """The policy at work, eight at once."""
    with at_work(POLICY) as runtime:
        yield runtime


def test_a_flood_of_strangers_keeps_out_nobody_who_is_known(runtime: Runtime, runner: asyncio.Runner) -> None:
    key = key_of(runtime, "ada")

    async def play(busy: Busy) -> None:
        flood = [asyncio.create_task(busy.ask("/open", address=f"198.51.100.{n % 250}")) for n in range(500)]
        await busy.settle()
        known = asyncio.create_task(busy.ask("/known", key))
        await busy.settle()
        assert busy.inside.count("/known") == 1
        busy.let_go.set()
        assert (await known)[0] == 200
        await asyncio.gather(*flood)

    played(runtime, runner, play)


def test_in_a_full_queue_who_is_known_takes_a_stranger_s_turn(runtime: Runtime, runner: asyncio.Runner) -> None:
    key = key_of(runtime, "ada")

    async def play(busy: Busy) -> None:
        known = [asyncio.create_task(busy.ask("/known", key)) for _ in range(8)]
        await busy.settle()
        flood = [asyncio.create_task(busy.ask("/open", address=f"198.51.100.{n % 250}")) for n in range(500)]
        await busy.settle()
        late = asyncio.create_task(busy.ask("/known", key))
        await busy.settle()
        assert not late.done()
        busy.let_go.set()
        assert {(await task)[0] for task in [*known, late]} == {200}
        await asyncio.gather(*flood)

    played(runtime, runner, play)


def test_a_forged_credential_buys_no_turn(runtime: Runtime, runner: asyncio.Runner) -> None:
    """Only what was verified counts; on a public route a key that is none is refused or counts as nothing."""

    async def play(busy: Busy) -> None:
        flood = [asyncio.create_task(busy.ask("/open", ("x-api-key", "nobody"))) for _ in range(8)]
        await busy.settle()
        assert busy.inside.count("/open") <= 6
        busy.let_go.set()
        await asyncio.gather(*flood)

    played(runtime, runner, play)


def test_logins_go_on_whatever_else_is_flooded(runtime: Runtime, runner: asyncio.Runner) -> None:
    async def play(busy: Busy) -> None:
        flood = [asyncio.create_task(busy.ask(path)) for path in ["/open", "/health"] * 100]
        await busy.settle()
        login = asyncio.create_task(busy.ask("/login"))
        await busy.settle()
        assert busy.inside.count("/login") == 1
        busy.let_go.set()
        assert (await login)[0] == 200
        await asyncio.gather(*flood)

    played(runtime, runner, play)


def test_a_flood_of_logins_fills_its_lane_and_no_more(runtime: Runtime, runner: asyncio.Runner) -> None:
    """Hashing is dear: what is kept for logins must not become the way to stop everything else."""

    async def play(busy: Busy) -> None:
        flood = [asyncio.create_task(busy.ask("/login")) for _ in range(200)]
        await busy.settle()
        assert busy.inside == ["/login"] * 3
        other = asyncio.create_task(busy.ask("/open"))
        await busy.settle()
        assert busy.inside[3:] == ["/open"]
        busy.let_go.set()
        assert (await other)[0] == 200
        await asyncio.gather(*flood)

    played(runtime, runner, play)
