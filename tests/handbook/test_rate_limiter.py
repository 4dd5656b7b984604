"""Row 5 of the chapter: `RateLimiter`, played as it calls it."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from garrison.errors import UsageError
from garrison.handbook import RateLimiter
from garrison.model.units import HOUR, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> RateLimiter:
    return RateLimiter(counters=MemoryCounters(clock))


def test_the_calls_of_the_row(limiter: RateLimiter, clock: ManualClock) -> None:
    """Create, spend, be denied, wait, spend again."""
    limiter.create_rate_limit("user:ada", 10, 20)

    assert limiter.is_allowed("user:ada") == (True, {"limit": 20, "remaining": 19, "reset": 1, "retry_after": 0})
    assert limiter.is_allowed("user:ada", 19) == (True, {"limit": 20, "remaining": 0, "reset": 1, "retry_after": 0})
    assert limiter.is_allowed("user:ada", 15) == (False, {"limit": 20, "remaining": 0, "reset": 1, "retry_after": 2})
    clock.advance(SECOND)
    assert limiter.is_allowed("user:ada", tokens_requested=10)[0]
    assert limiter.is_allowed("user:ada", 21) == (False, {"limit": 20, "remaining": 0, "reset": 1, "retry_after": None})


def test_the_numbers_of_the_chapter(limiter: RateLimiter) -> None:
    """Ten seconds' worth at once; 100 and 1,000 for whoever is not known; 1,000 an hour."""
    limiter.create_rate_limit("known", 3)

    assert limiter.is_allowed("known", 0)[1]["limit"] == 30
    assert limiter.is_allowed("unknown", 1000)[1] == {"limit": 1000, "remaining": 0, "reset": 1, "retry_after": 0}
    assert limiter.is_allowed("unknown", 100)[1]["retry_after"] == 1
    assert sum(limiter.sliding_window_check("user:ada")[0] for _ in range(1_010)) == 1_000


def test_the_signatures_of_the_chapter() -> None:
    """Names, order and defaults; what we add is keyword-only."""
    found = {
        name: str(inspect.signature(getattr(RateLimiter(), name)).replace(return_annotation=inspect.Signature.empty))
        for name in ("create_rate_limit", "is_allowed", "sliding_window_check")
    }

    assert found == {
        "create_rate_limit": "(identifier: 'str', requests_per_second: 'float', burst_capacity: 'int | None' = None)",
        "is_allowed": "(identifier: 'str', tokens_requested: 'int' = 1)",
        "sliding_window_check": "(identifier: 'str', window_seconds: 'int' = 3600, max_requests: 'int' = 1000)",
    }


def test_a_sliding_window_is_never_exceeded(limiter: RateLimiter, clock: ManualClock) -> None:
    """Not around its edge either."""
    assert [limiter.sliding_window_check("s", 60, 2)[0] for _ in range(3)] == [True, True, False]
    clock.advance(59 * SECOND)
    assert limiter.sliding_window_check("s", 60, 2)[1]["retry_after"] == 1
    clock.advance(SECOND)
    assert [limiter.sliding_window_check("s", 60, 2)[0] for _ in range(3)] == [True, True, False]


def test_identifiers_and_methods_count_apart(limiter: RateLimiter) -> None:
    """And a changed limit keeps what was spent."""
    limiter.create_rate_limit("a", 1, 1)
    limiter.create_rate_limit("b", 1, 1)
    assert [limiter.is_allowed(name)[0] for name in ("a", "a", "b")] == [True, False, True]
    assert limiter.sliding_window_check("a")[0]
    limiter.create_rate_limit("a", 0.5, 2)
    assert [limiter.is_allowed("a")[0] for _ in range(2)] == [True, False]


def test_slow_rates_are_exact(limiter: RateLimiter, clock: ManualClock) -> None:
    """One in two seconds; none at all."""
    limiter.create_rate_limit("slow", 0.5, 1)
    limiter.create_rate_limit("never", 0)

    assert [limiter.is_allowed("slow")[1]["retry_after"] for _ in range(2)] == [0, 2]
    assert limiter.is_allowed("never") == (False, {"limit": 0, "remaining": 0, "reset": 0, "retry_after": None})
    clock.advance(HOUR)
    assert limiter.is_allowed("slow")[0]


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), 10**10])
def test_what_is_no_rate_is_refused(limiter: RateLimiter, rate: float) -> None:
    """When it is set."""
    with pytest.raises(UsageError):
        limiter.create_rate_limit("s", rate)


def test_it_is_awaited_as_well(limiter: RateLimiter, runner: asyncio.Runner) -> None:
    """The same counters."""

    async def play() -> list[bool]:
        await limiter.create_rate_limit.aio("s", 1, 2)
        return [(await limiter.is_allowed.aio("s"))[0] for _ in range(2)] + [
            (await limiter.sliding_window_check.aio("s", 60, 1))[0]
        ]

    assert runner.run(play()) == [True, True, True]
    assert not limiter.is_allowed("s")[0]


def test_threads_share_a_limit_exactly() -> None:
    """Row 5 asks for it; on the clock of the machine."""
    limiter = RateLimiter()
    limiter.create_rate_limit("s", 0.001, 100)
    passed: list[int] = []

    def caller() -> None:
        passed.append(sum(limiter.is_allowed("s")[0] for _ in range(50)))

    threads = [threading.Thread(target=caller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(passed) == 100
