"""A coroutine that never waits runs without a loop; one that waits is stopped and named."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from garrison.errors import SuspendedError
from garrison.guard.drive import drive, faced


class Waiting(BaseException):
    """Raised inside a coroutine when it is closed; see below."""


async def adds(one: int, other: int) -> int:
    return one + other


async def outer() -> int:
    return await adds(1, 2) + await adds(3, 4)


async def naps() -> None:
    await asyncio.sleep(0)


async def calls_one_that_naps(closed: list[str]) -> None:
    try:
        await naps()
    finally:
        closed.append("closed")


async def naps_when_closed() -> None:
    try:
        await naps()
    finally:
        await naps()


def test_it_gives_what_the_coroutine_returns() -> None:
    """Through any number of awaits."""
    assert drive(outer()) == 10


def test_it_raises_what_the_coroutine_raises() -> None:
    """Unchanged."""

    async def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        drive(fails())


def test_a_coroutine_that_waits_is_closed_and_named() -> None:
    """The whole row: who was called, and who waits at its end."""
    closed: list[str] = []

    with pytest.raises(SuspendedError, match=r"calls_one_that_naps waited for None in sleep"):
        drive(calls_one_that_naps(closed))
    assert closed == ["closed"]


def test_one_that_waits_again_while_it_is_closed_is_told_the_same() -> None:
    """Not as an error about closing."""
    with pytest.raises(SuspendedError, match="naps_when_closed waited for None in sleep"):
        drive(naps_when_closed())


def test_an_exception_of_its_own_while_closing_is_not_hidden() -> None:
    """A clean-up that fails is a fault that must be seen."""

    async def fails_to_close() -> None:
        try:
            await naps()
        finally:
            raise Waiting

    with pytest.raises(Waiting):
        drive(fails_to_close())


def test_a_shell_has_the_face_of_what_it_stands_around() -> None:
    """One shell for both, so that there are no twins to keep in step."""

    async def shell(number: int) -> int:
        return number + 1

    def plain(number: int) -> int:
        """Count."""
        return number

    called = faced(shell, plain)
    assert (called(1), called.__name__, called.__doc__) == (2, "plain", "Count.")
    assert inspect.iscoroutinefunction(called) is False

    awaited = faced(shell, adds)
    assert inspect.iscoroutinefunction(awaited)
    assert (asyncio.run(awaited(1)), awaited.__name__) == (2, "adds")
