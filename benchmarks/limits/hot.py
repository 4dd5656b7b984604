"""One process that asks for one subject as often as it can, for `bench_near`; tells what it did as JSON.

`python -m benchmarks.limits.hot SOCKET LIMIT SECONDS near|direct`; begins when a line comes on the standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from secrets import token_bytes
from time import monotonic, process_time
from typing import cast

from benchmarks.figure import run
from garrison.limits import Ask, Verdict, parse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.redis.counters import Driven, RedisCounters

__all__ = ["PROCESSES", "Take", "counters", "main"]

PROCESSES = 4

Take = Callable[[tuple[Ask, ...]], Sequence[Verdict]]


def counters(link: Driven, *, near: bool) -> Take:
    """Give what the guard does with counters, in front of a server or without anything in front."""
    shared = RedisCounters(link, b"k" * 32, token_bytes)
    if not near:
        return lambda asks: cast("Sequence[Verdict]", run(shared.take(asks)))
    clock = SystemClock()
    front = NearCounters(Near(MemoryCounters(clock), clock, PROCESSES), shared)
    now = front.take_now
    return lambda asks: now(asks) or cast("Sequence[Verdict]", run(front.take(asks)))


def main() -> None:
    """Ask until the time is up."""
    path, limit, seconds, how = sys.argv[1:]
    link = Driven(deadline=10, unix_socket_path=path)
    take, asks = counters(link, near=how == "near"), (Ask("one", parse(limit)),)
    take((Ask("another", parse(limit)),))
    print("ready", flush=True)
    sys.stdin.readline()
    checks = passed = 0
    begun, end = process_time(), monotonic() + float(seconds)
    while monotonic() < end:
        for _ in range(50):
            passed += take(asks)[0][0]
        checks += 50
    print(json.dumps({"checks": checks, "passed": passed, "cpu": process_time() - begun}))
    link.close()


if __name__ == "__main__":
    main()
