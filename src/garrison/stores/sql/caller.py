"""The two ways to wait for the writer: a loop awaits, a thread blocks. Everything else is the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future
    from typing import TypeAlias

    Caller: TypeAlias = Callable[[Future[Any]], Awaitable[Any]]

__all__ = ["awaiting", "blocking"]


async def awaiting(future: Future[Any]) -> Any:
    """Let the loop run until the writer is done."""
    from asyncio import wrap_future  # a program without a loop never loads asyncio

    return await wrap_future(future)


async def blocking(future: Future[Any]) -> Any:
    """Stop this thread until the writer is done; never suspends, so a driver can run it."""
    return future.result()
