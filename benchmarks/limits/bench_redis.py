"""What does a process pay for a check in Redis when many tasks ask at once? Rival: the fixed window of `limits`.

Fifty tasks on one loop, each with a client of its own, against a server of the benchmark's own on a Unix socket. Ours
sends what one turn of the loop asks as one call, and tells what an answer's header fields need. The rival hits, over
redis-py as ours does; for three limits it also asks for each window's numbers, as the middleware built on it do. Not
measured: the server's own time, and the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from secrets import token_bytes
from typing import Any

from limits import parse as rival_parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from benchmarks.figure import Figure, Work, compare, figure
from garrison.limits import Ask, parse
from garrison.stores.redis.counters import Awaited, RedisCounters
from tests.stores.redis.server import serving

__all__ = ["figures"]

_TASKS = 50
_OURS = ("1000/s burst 100000", "1000/m burst 100000", "1000/h burst 100000")
_RIVALS = ("100000000/second", "100000000/minute", "100000000/hour")


def figures() -> list[Figure]:
    """Measure one limit, and three with what the header fields tell; a call is fifty checks."""
    with serving() as path, asyncio.Runner() as runner:
        link = Awaited(deadline=10, unix_socket_path=str(path))
        storage = RedisStorage(f"async+redis+unix://{path}", implementation="redispy")
        found = [
            figure(
                "fifty tasks check one limit in Redis, against hit",
                *compare(_crowd(runner, _ours(link, 1)), _crowd(runner, _rival(storage, 1)), rounds=15, calls=20),
                bar=1 / 4,
            ),
            figure(
                "fifty tasks check three limits in Redis, against hit + window stats of each",
                *compare(_crowd(runner, _ours(link, 3)), _crowd(runner, _rival(storage, 3)), rounds=15, calls=20),
                bar=1 / 8,
            ),
        ]
        runner.run(link.close())
        return found


def _crowd(runner: asyncio.Runner, check: Callable[[str], Coroutine[Any, Any, object]]) -> Work:
    async def crowd() -> None:
        await asyncio.gather(*[check(f"203.0.113.{number}") for number in range(_TASKS)])

    return lambda: runner.run(crowd())


def _ours(link: Awaited, number: int) -> Callable[[str], Coroutine[Any, Any, object]]:
    counters, limits = RedisCounters(link, b"k" * 32, token_bytes), [parse(text) for text in _OURS[:number]]
    return lambda address: counters.take([Ask(address, limit) for limit in limits])


def _rival(storage: RedisStorage, number: int) -> Callable[[str], Coroutine[Any, Any, object]]:
    limiter, items = FixedWindowRateLimiter(storage), [rival_parse(text) for text in _RIVALS[:number]]

    async def check(address: str) -> None:
        for item in items:
            await limiter.hit(item, address)
            if number > 1:
                await limiter.get_window_stats(item, address)

    return check
