"""Row 13 of the chapter: `AdvancedRateLimiter`, played as it calls it."""

from __future__ import annotations

import asyncio
import inspect
from secrets import token_bytes
from typing import Any

import pytest

from garrison import handbook
from garrison.errors import UsageError
from garrison.handbook import AdvancedRateLimiter, RateLimiter
from garrison.model.units import MINUTE, SECOND
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.open import open_counters
from garrison.testing.clock import ManualClock
from tests.stores.redis.server import KINDS, socket

STRATEGIES = ("fixed_window", "sliding_window", "token_bucket")


def limiter_on(clock: ManualClock, **facts: Any) -> AdvancedRateLimiter:
    return AdvancedRateLimiter(counters=MemoryCounters(clock), **facts)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_calls_of_the_row(strategy: str) -> None:
    """Set, check, read, reset; whatever the strategy."""
    clock = ManualClock()
    limiter = limiter_on(clock, strategy=strategy)
    limiter.set_rate_limit("user:ada", 3, 60)

    assert [limiter.check_rate_limit("user:ada")[0] for _ in range(4)] == [True, True, True, False]
    status = limiter.get_rate_limit_status("user:ada")
    assert (status["limit"], status["remaining"]) == (3, 0)
    assert limiter.get_rate_limit_status("user:ada") == status
    limiter.reset_rate_limit("user:ada")
    assert limiter.get_rate_limit_status("user:ada")["remaining"] == 3
    assert limiter.check_rate_limit("user:ada")[0]
    clock.advance(2 * MINUTE)
    assert limiter.get_rate_limit_status("user:ada") == {"limit": 3, "remaining": 3, "reset": 0, "retry_after": 0}


def test_the_signatures_of_the_chapter() -> None:
    """Names, order and defaults."""
    limiter = AdvancedRateLimiter()
    names = ("set_rate_limit", "check_rate_limit", "reset_rate_limit", "get_rate_limit_status")

    assert [list(inspect.signature(getattr(limiter, name)).parameters) for name in names] == [
        ["identifier", "limit", "window"],
        ["identifier"],
        ["identifier"],
        ["identifier"],
    ]


def test_each_strategy_counts_its_own_way() -> None:
    """A fixed window begins with the clock, a bucket refills drop by drop, a sliding window is never exceeded."""
    passed = {}
    for strategy in STRATEGIES:
        clock = ManualClock()
        clock.advance(59 * SECOND)
        limiter = limiter_on(clock, strategy=strategy, default=(4, 60))
        before = sum(limiter.check_rate_limit("s")[0] for _ in range(9))
        clock.advance(15 * SECOND)
        passed[strategy] = (before, sum(limiter.check_rate_limit("s")[0] for _ in range(9)))

    assert passed == {"fixed_window": (4, 4), "sliding_window": (4, 0), "token_bucket": (4, 1)}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_users_and_addresses_have_limits_of_their_own(strategy: str) -> None:
    """And numbers of their own, small and large; a changed limit keeps what was spent."""
    limiter = limiter_on(ManualClock(), strategy=strategy, default=(2, 60))
    limiter.set_rate_limit("ip:203.0.113.7", 100, 60)

    assert sum(limiter.check_rate_limit("user:ada")[0] for _ in range(9)) == 2
    assert sum(limiter.check_rate_limit("ip:203.0.113.7")[0] for _ in range(200)) == 100
    limiter.set_rate_limit("ip:203.0.113.7", 130, 60)
    assert sum(limiter.check_rate_limit("ip:203.0.113.7")[0] for _ in range(200)) == 30


def test_it_is_awaited_as_well(runner: asyncio.Runner) -> None:
    """The same counters."""
    limiter = AdvancedRateLimiter()

    async def play() -> tuple[bool, int | None]:
        await limiter.set_rate_limit.aio("s", 1, 3600)
        await limiter.check_rate_limit.aio("s")
        denied = (await limiter.check_rate_limit.aio("s"))[0]
        await limiter.reset_rate_limit.aio("s")
        return denied, (await limiter.get_rate_limit_status.aio("s"))["remaining"]

    assert runner.run(play()) == (False, 1)


@pytest.mark.parametrize("facts", [{"strategy": "leaky"}, {"default": (-1, 60)}, {"default": (1, 0)}])
def test_a_mistake_is_told_when_it_is_made(facts: dict[str, Any]) -> None:
    """Not at the first request."""
    with pytest.raises(UsageError):
        limiter_on(ManualClock(), **facts)


def test_the_package_lists_its_classes() -> None:
    """Loaded on first use."""
    assert {"AdvancedRateLimiter", "RateLimiter"} <= set(dir(handbook))
    assert all(getattr(handbook, name) for name in handbook.__all__)
    with pytest.raises(AttributeError):
        print(handbook.Nothing)


def test_load_lowers_limits_and_gives_nothing_back_when_it_goes() -> None:
    load = 0.0
    limiter = limiter_on(ManualClock(), load=lambda: load)
    limiter.set_rate_limit("user:ada", 40, 60)
    assert limiter.check_rate_limit("user:ada")[0]
    load = 1.0
    assert [limiter.check_rate_limit("user:ada")[0] for _ in range(4)] == [True, True, True, False]
    assert limiter.get_rate_limit_status("user:ada")["remaining"] == 9
    load = 0.5
    assert [limiter.check_rate_limit("user:ada")[0] for _ in range(10)] == [True] * 9 + [False]


@pytest.mark.parametrize("kind", KINDS)
def test_processes_count_as_one_on_a_server_called_both_ways(kind: str) -> None:
    """Two limiters of two processes: at once, and awaited."""
    url, secret = f"unix://{socket(kind)}", token_bytes(32)
    one, two = (AdvancedRateLimiter(counters=open_counters(url, SystemClock(), secret)) for _ in range(2))
    bucket, other = (RateLimiter(counters=open_counters(url, SystemClock(), secret)) for _ in range(2))
    for limiter in (one, two):
        limiter.set_rate_limit("user:ada", 4, 3600)
    for each in (bucket, other):
        each.create_rate_limit("user:ada", 0.001, 2)

    async def awaited() -> list[bool]:
        return [(await limiter.check_rate_limit.aio("user:ada"))[0] for limiter in (one, two, one)]

    assert [limiter.check_rate_limit("user:ada")[0] for limiter in (one, two)] == [True, True]
    assert asyncio.run(awaited()) == [True, True, False]
    assert not two.check_rate_limit("user:ada")[0]
    assert [limiter.is_allowed("user:ada")[0] for limiter in (bucket, other, bucket)] == [True, True, False]
    one.reset_rate_limit("user:ada")
    assert one.check_rate_limit("user:ada")[0]
