"""Run a coroutine without a loop: WSGI and the command line share every line of the asynchronous shell this way.

Memory and SQLite never suspend, and stores made for threads block inside; so one step is all it takes. Costs
a tenth of a microsecond, where a thread with a loop of its own costs forty.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from garrison.errors import SuspendedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["drive", "faced"]

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, to its end.

    Raises:
        SuspendedError: It waited for something. It is closed; the error names what it waited for.
    """
    try:
        waited_for = coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration is not generic
    name, waiting = getattr(coroutine, "__qualname__", "the coroutine"), _innermost(coroutine)
    with suppress(RuntimeError):
        # One that waits again while it is closed cannot be closed; the error below is the one to tell.
        coroutine.close()
    msg = f"{name} waited for {waited_for!r} in {waiting}; use the awaited face of the store"
    raise SuspendedError(msg)


def faced(shell: Callable[..., Coroutine[Any, Any, Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the shell around a function that function's own face: awaited where it is, else called at once."""
    if inspect.iscoroutinefunction(function):
        return wraps(function)(shell)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return drive(shell(*args, **kwargs))

    return called


def _innermost(coroutine: Any) -> str:
    """Name the coroutine that waits, at the end of the row of those that await each other."""
    while inspect.iscoroutine(awaited := getattr(coroutine, "cr_await", None)):
        coroutine = awaited
    return str(getattr(coroutine, "__qualname__", coroutine))
