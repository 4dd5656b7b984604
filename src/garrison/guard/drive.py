"""Run a coroutine without a loop: WSGI and the command line share every line of the asynchronous shell this way.

Memory and SQLite never suspend, and stores made for threads block inside; so one step is all it takes. Costs
a tenth of a microsecond, where a thread with a loop of its own costs forty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from garrison.errors import SuspendedError

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["drive"]

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
    coroutine.close()
    name = getattr(coroutine, "__qualname__", "the coroutine")
    msg = f"{name} waited for {waited_for!r}; use the awaited face of the store"
    raise SuspendedError(msg)
