"""Threads for password hashes: as many as cores, with a queue no longer than a login may wait.

argon2 takes some 25 ms and 19 MiB on purpose and lets go of the interpreter lock meanwhile. In a coroutine 20
logins stall every other request; in an unbounded pool they take all memory. Here the pool says no in time.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from garrison.model.http.refusal import Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["STRANGERS", "TYPICAL", "HashPool", "PooledHasher", "blocking", "cores"]

T = TypeVar("T")

TYPICAL = 25_000
"""Microseconds one hash is taken to last before any was measured: argon2id with 19 MiB and two passes."""

STRANGERS = 3
"""Quarters of the queue that strangers may fill; the last one is kept for devices that their account knows."""

_WEIGHT = 8
"""One measured hash in this many moves the typical duration."""


def cores() -> int:
    """Count the cores this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # no such call on macOS and Windows
        return max(1, os.cpu_count() or 1)


class HashPool:
    """A pool that knows how long its queue lasts, and takes nothing that would wait longer than allowed."""

    def __init__(self, wait: int, monotonic: Callable[[], int], threads: int = 0) -> None:
        """Keep the bounds; threads start with the first work, and again after a fork.

        Args:
            wait: Longest wait in the queue, microseconds (`accounts.hash_wait`).
            monotonic: Reads a clock, microseconds; called from the threads.
            threads: Hashes at once; 0: as many as cores. More buy nothing and cost 19 MiB each.
        """
        self.threads = threads or cores()
        self._wait = wait
        self._monotonic = monotonic
        self._lock = Lock()
        self._typical = TYPICAL
        self._pending = 0
        self._process = 0
        self._executor: ThreadPoolExecutor | None = None

    @property
    def pending(self) -> int:
        """How many hashes wait or run."""
        return self._pending

    def submit(self, work: Callable[[], T], *, known: bool = False) -> Future[T] | None:
        """Queue the work, or give None when it would have to wait too long.

        Args:
            work: What to compute.
            known: Whether it may use the last quarter of the queue.
        """
        most = self._wait if known else self._wait * STRANGERS // 4
        with self._lock:
            executor = self._started()
            if self._pending >= self.threads and self._queued() > most:
                return None
            self._pending += 1
        try:
            future = executor.submit(self._timed, work)
        except BaseException:
            self._leave(None)
            raise
        # Called for work that ended, failed, or was cancelled while it waited (the caller went away).
        future.add_done_callback(self._leave)
        return future

    def retry_after(self) -> int:
        """Tell in how many whole seconds the queue will have emptied, at least 1."""
        return max(1, -(-self._queued() // 1_000_000))

    def close(self) -> None:
        """Let running hashes end, drop waiting ones."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            executor.shutdown(cancel_futures=True)

    def change(self, wait: int, threads: int = 0) -> None:
        """Keep other bounds from now on; what was taken is done by the threads that took it."""
        threads = threads or cores()
        with self._lock:
            self._wait = wait
            if threads != self.threads:
                # Not shut down: work may be on its way to it, and its threads end once nobody holds it any more.
                self.threads, self._executor = threads, None

    def _started(self) -> ThreadPoolExecutor:
        # Threads do not survive a fork: the child counts from nothing and starts its own.
        if self._process != os.getpid():
            self._process, self._pending, self._executor = os.getpid(), 0, None
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.threads, "garrison-hash")
        return self._executor

    def _queued(self) -> int:
        """Microseconds until work queued now would begin."""
        return max(0, self._pending - self.threads + 1) * self._typical // self.threads

    def _timed(self, work: Callable[[], T]) -> T:
        began = self._monotonic()
        try:
            return work()
        finally:
            lasted = max(1, self._monotonic() - began)
            with self._lock:
                self._typical += (lasted - self._typical) // _WEIGHT

    def _leave(self, _: Future[Any] | None) -> None:
        with self._lock:
            self._pending -= 1


class PooledHasher:
    """`garrison.accounts` runs its password work through this: one for each way of waiting, over one pool."""

    __slots__ = ("_pool", "_settle")

    def __init__(self, pool: HashPool, settle: Callable[[Future[Any]], Awaitable[Any]]) -> None:
        """Join a pool and a way of waiting.

        Args:
            pool: Shared by all hashers of a process.
            settle: `blocking`, or what an adapter with a loop hands in (`asyncio.wrap_future` in a coroutine).
        """
        self._pool = pool
        self._settle = settle

    async def run(self, work: Callable[[], T], *, known: bool = False) -> T | Refusal:
        """Do the work in the pool, or refuse with `busy` and the time after which to try again."""
        future = self._pool.submit(work, known=known)
        if future is None:
            after = str(self._pool.retry_after()).encode()
            return refuse("busy", "hash_queue_full", headers=((b"retry-after", after),))
        done: T = await self._settle(future)
        return done


async def blocking(future: Future[T]) -> T:
    """Wait in this thread, so that the coroutine around it can be driven without a loop."""
    return future.result()
