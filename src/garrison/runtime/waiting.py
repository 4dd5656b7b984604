"""The two ways of waiting, for everything below that must not know which one it is in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from garrison.egress.awaiting import AwaitingFetch
from garrison.egress.blocking import BlockingFetch
from garrison.guard.drive import drive
from garrison.runtime.hashpool import blocking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from concurrent.futures import Future

    from garrison.egress.rules import Rules
    from garrison.model.http.fetch import Fetch

__all__ = ["AWAITED", "DRIVEN", "Waiting"]

T = TypeVar("T")


class Waiting(NamedTuple):
    """How one side of a runtime waits."""

    settle: Callable[[Future[Any]], Awaitable[Any]]
    """Waits for work in a thread."""

    fetch: Callable[[Rules], Fetch]
    """Makes the outbound client."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    """Runs a coroutine of this side from outside: from a job, at start, at the end."""


async def _awaiting(future: Future[T]) -> T:
    return await asyncio.wrap_future(future)


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run on a loop of its own, in a thread of its own where this one has a loop already (at shutdown)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, "garrison-run") as pool:
        return pool.submit(asyncio.run, coroutine).result()


AWAITED = Waiting(_awaiting, AwaitingFetch, _run)
DRIVEN = Waiting(blocking, BlockingFetch, drive)
