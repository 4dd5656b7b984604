"""One method, two ways to call it: `manager.method(x)` at once, `await manager.method.aio(x)` on a loop.

Both run the same coroutine, so there is no twin to keep in step. The synchronous way drives it by hand, which works
on every store that does not wait: memory, SQLite, and the blocking faces of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from garrison.guard.drive import drive
from garrison.handbook.arguments import checked, otherwise

__all__ = ["BothWays", "TwoWay", "both_ways", "both_ways_or"]

P = ParamSpec("P")
R = TypeVar("R")


class TwoWay(Generic[P, R]):
    """A method of an object: call it, or await what its `aio` gives."""

    def __init__(self, aio: Callable[P, Coroutine[Any, Any, R]]) -> None:
        self.aio = aio
        update_wrapper(self, aio)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it to its end.

        Raises:
            SuspendedError: It waited for something; use `aio`.
        """
        return drive(self.aio(*args, **kwargs))


class BothWays(Generic[P, R]):
    """A method as its class has it; `inspect.signature` sees the coroutine function."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method
        update_wrapper(self, method)

    @overload
    def __get__(self, instance: None, owner: type) -> BothWays[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> TwoWay[P, R]: ...
    def __get__(self, instance: object | None, owner: type) -> BothWays[P, R] | TwoWay[P, R]:
        return self if instance is None else TwoWay(self._method.__get__(instance, owner))

    def __call__(self, instance: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it on an instance, as a plain function of a class is run."""
        return drive(self._method(instance, *args, **kwargs))


def both_ways(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> BothWays[P, R]:
    """Make an `async def` method callable both ways; an argument that is not what it must be is a `UsageError`."""
    return BothWays(checked(method))


def both_ways_or(
    answer: object,
) -> Callable[[Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]], BothWays[P, R]]:
    """Make a method callable both ways that is handed what callers of an API send.

    Args:
        answer: What it gives where an argument is not even of the kind that it must be.
    """

    def decorate(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> BothWays[P, R]:
        return BothWays(otherwise(answer)(method))

    return decorate
