"""One coroutine, two ways to run it, and a signature that is the method's own."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from garrison.errors import SuspendedError
from garrison.handbook.twoway import both_ways


class Greeter:
    """Says hello."""

    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    @both_ways
    async def greet(self, name: str, *, loudly: bool = False) -> str:
        """Greet somebody."""
        return f"{self.greeting}, {name}{'!' if loudly else '.'}"

    @both_ways
    async def nap(self) -> None:
        await asyncio.sleep(0)


def test_it_is_called_or_awaited(runner: asyncio.Runner) -> None:
    """With the same answer."""
    greeter = Greeter("Hello")

    assert greeter.greet("Ada") == "Hello, Ada."
    assert runner.run(greeter.greet.aio("Ada", loudly=True)) == "Hello, Ada!"
    assert Greeter.greet(greeter, "Bob") == "Hello, Bob."


def test_it_looks_like_the_method_it_is() -> None:
    """To readers, to documentation and to the test that compares signatures with the chapter."""
    assert str(inspect.signature(Greeter("").greet)) == "(name: 'str', *, loudly: 'bool' = False) -> 'str'"
    assert list(inspect.signature(Greeter.greet).parameters) == ["self", "name", "loudly"]
    assert (getattr(Greeter.greet, "__name__", ""), Greeter("").greet.__doc__) == ("greet", "Greet somebody.")


def test_what_waits_can_only_be_awaited(runner: asyncio.Runner) -> None:
    """And says so, instead of doing half of it."""
    with pytest.raises(SuspendedError):
        Greeter("").nap()
    runner.run(Greeter("").nap.aio())
