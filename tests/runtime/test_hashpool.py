"""The pool for password hashes: bounded, honest about its queue, usable with and without a loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Barrier, Event, Lock
from typing import Any

import pytest

from garrison.model.http.refusal import Refusal
from garrison.runtime.hashpool import STRANGERS, TYPICAL, HashPool, PooledHasher, blocking, cores

SECOND = 1_000_000


class Gate:
    """Work that waits until it is let through."""

    def __init__(self) -> None:
        self.open = Event()
        self.running = 0
        self.most = 0
        self._lock = Lock()

    def work(self) -> str:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.open.wait(30)
        with self._lock:
            self.running -= 1
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def pool_of(threads: int = 2, wait: int = 8 * TYPICAL, durations: Iterator[int] | None = None) -> HashPool:
    """A pool whose clock stands still, so that a hash lasts as long as the test says."""
    return HashPool(wait, (lambda: next(durations)) if durations else (lambda: 0), threads)


def fill(pool: HashPool, work: Callable[[], Any], *, known: bool = False) -> list[Future[Any]]:
    """Submit until the pool says no."""
    futures = []
    while (future := pool.submit(work, known=known)) is not None:
        futures.append(future)
        assert len(futures) < 1000
    return futures


def test_other_bounds_hold_from_the_next_hash_on(gate: Gate) -> None:
    """What was taken before is neither lost nor counted anew."""
    pool = pool_of(threads=1)
    before = [pool.submit(gate.work), pool.submit(gate.work)]

    pool.change(0, 2)
    refused = pool.submit(gate.work)
    gate.open.set()

    assert refused is None
    assert [future.result(30) for future in before if future] == ["done", "done"]
    assert (pool.threads, pool.pending) == (2, 0)


def test_new_threads_work_beside_what_the_former_ones_still_do(gate: Gate) -> None:
    pool = pool_of(threads=1)
    slow = pool.submit(gate.work)
    pool.change(8 * TYPICAL, 2)
    quick = pool.submit(lambda: "quick")

    assert quick is not None
    assert quick.result(30) == "quick"
    assert slow is not None
    assert not slow.done()
    gate.open.set()
    assert slow.result(30) == "done"


def test_never_more_at_once_than_threads(gate: Gate) -> None:
    """Each further hash costs 19 MiB and makes no login quicker."""
    pool = pool_of(threads=2)
    futures = fill(pool, gate.work)

    gate.open.set()

    assert {future.result() for future in futures} == {"done"}
    assert gate.most <= 2
    pool.close()


def test_strangers_fill_three_quarters_and_the_rest_is_for_known_devices(gate: Gate) -> None:
    """A flood of strangers does not shut the owners out."""
    pool = pool_of(threads=2, wait=8 * TYPICAL)

    strangers = fill(pool, gate.work)
    known = fill(pool, gate.work, known=True)

    # Two run; then one more each 12.5 ms of queue, and the first of them waits that long.
    assert len(strangers) == 1 + 2 * 8 * STRANGERS // 4 + 1
    assert len(strangers) + len(known) == 1 + 2 * 8 + 1
    gate.open.set()
    pool.close()


def test_room_comes_back(gate: Gate) -> None:
    pool = pool_of()
    futures = fill(pool, gate.work)
    gate.open.set()
    for future in futures:
        future.result()

    assert pool.submit(gate.work) is not None
    pool.close()
    assert pool.pending == 0


def test_work_that_fails_gives_its_room_back() -> None:
    pool = pool_of(threads=1)

    def fails() -> None:
        raise ValueError("no")

    for _ in range(50):
        future = pool.submit(fails)
        assert future is not None
        with pytest.raises(ValueError, match="no"):
            future.result()
    pool.close()
    assert pool.pending == 0


def test_a_caller_who_goes_away_frees_the_queue(gate: Gate) -> None:
    """Clients that connect and vanish must not keep the pool full."""
    pool = pool_of(threads=1)
    running, *waiting = fill(pool, gate.work)

    assert all(future.cancel() for future in waiting)

    assert pool.pending == 1
    gate.open.set()
    assert running.result() == "done"
    pool.close()


def test_slow_hashes_make_the_queue_shorter(gate: Gate) -> None:
    """What a queue lasts is measured, not guessed: on a slow machine it holds fewer."""
    quick, slow = pool_of(threads=1), HashPool(8 * TYPICAL, iter(range(0, 10**12, 4 * TYPICAL)).__next__, 1)
    for _ in range(60):
        future = slow.submit(lambda: None)
        assert future is not None
        future.result()

    assert 3 <= len(fill(slow, gate.work, known=True)) < len(fill(quick, gate.work, known=True)) / 2
    gate.open.set()
    slow.close()
    quick.close()


def test_retry_after_is_whole_seconds_and_at_least_one(gate: Gate) -> None:
    pool = HashPool(3 * SECOND, lambda: 0, 1)
    assert pool.retry_after() == 1

    fill(pool, gate.work, known=True)

    assert pool.retry_after() == 4
    gate.open.set()
    pool.close()


def test_zero_threads_mean_the_cores_of_the_process() -> None:
    assert HashPool(SECOND, lambda: 0).threads == cores() >= 1


def test_a_fork_starts_its_own_threads() -> None:
    """Threads do not survive a fork; a child that waited for its parent's would hang at the first login."""
    pool = pool_of()
    before = pool.submit(lambda: 1)
    assert before is not None
    assert before.result() == 1

    pool._process = -1  # what a child sees: the threads belong to another process

    after = pool.submit(lambda: 2)
    assert after is not None
    assert after.result(30) == 2
    assert pool._process == os.getpid()
    pool.close()


def test_blocking_drives_without_a_loop() -> None:
    """One `send(None)` must end it: nothing may suspend."""
    hasher = PooledHasher(pool_of(), blocking)

    with pytest.raises(StopIteration) as stop:
        hasher.run(lambda: 42).send(None)

    assert stop.value.value == 42


def test_awaited_lets_the_loop_run_meanwhile(runner: asyncio.Runner) -> None:
    """The loop opens the barrier on which the hash waits: hashing in the coroutine would never end."""
    barrier = Barrier(2, timeout=30)

    async def awaited(future: Future[Any]) -> Any:
        return await asyncio.wrap_future(future)

    async def both() -> Any:
        hasher = PooledHasher(pool_of(), awaited)
        hashed, _ = await asyncio.gather(hasher.run(barrier.wait), asyncio.to_thread(barrier.wait))
        return hashed

    assert runner.run(both()) in (0, 1)


def test_a_full_pool_answers_503_with_a_time(gate: Gate) -> None:
    pool = pool_of()
    futures = fill(pool, gate.work)

    answer = asyncio.run(PooledHasher(pool, blocking).run(gate.work))

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.status) == ("busy", 503)
    assert dict(answer.headers)[b"retry-after"] == b"1"
    gate.open.set()
    assert {future.result() for future in futures} == {"done"}
    pool.close()


def test_cores_are_counted_where_nobody_can_ask_for_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)

    assert cores() == (os.cpu_count() or 1)


def test_work_that_could_not_be_queued_takes_no_room() -> None:
    """At the end of the process the executor takes nothing any more."""
    pool = pool_of()
    assert pool.submit(int) is not None
    assert pool._executor is not None
    pool._executor.shutdown()

    with pytest.raises(RuntimeError):
        pool.submit(int)

    assert pool.pending == 0
