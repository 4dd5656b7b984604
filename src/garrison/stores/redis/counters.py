"""Counters of every process that shares a Redis or Valkey server.

A step is one call of one script, so it is atomic on the server and follows the server's clock. Whatever goes wrong
there is a `StoreError`, and a call whose outcome is unknown is never repeated: it could count twice.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from garrison.errors import StoreError, UsageError
from garrison.model.metric import Histogram
from garrison.stores.redis.script import Script, divided, figures, play, verdicts
from garrison.stores.redis.script import key as key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.limits.limit import Ask, Verdict
    from garrison.model.ids import Randomness
    from garrison.stores.redis.script import Step

__all__ = ["DEADLINE", "MOST_STEPS", "Awaited", "Calls", "Driven", "Link", "RedisCounters"]

DEADLINE: Final = 0.03
"""Seconds that a call may take, its connection included; what is left of 50 ms is for a commit to the records."""

MOST_STEPS: Final = 128
"""Most steps of one call: a script keeps everybody else waiting."""

_IN_FLIGHT: Final = 2
"""Calls of one loop at a time."""


class Calls:
    """What a process asked a server, for metrics."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.seconds = Histogram((0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05))
        """How long each call took that was answered."""

        self.steps = Histogram((1, 2, 4, 8, 16, 32, 64, MOST_STEPS))
        """How many steps each of them took along."""

        self.failed = 0
        """How many were not."""

    def answered(self, steps: int, begun: float) -> None:
        """Note one; `begun` by `time.perf_counter`."""
        self.seconds.add(perf_counter() - begun)
        self.steps.add(steps)


class Link(Protocol):
    """A way to the server: awaited or driven."""

    async def send(self, step: Step) -> Sequence[int]:
        """Play a step; gives its figures."""
        ...


class RedisCounters:
    """Implements `garrison.stores.protocols.Counters` over a link."""

    def __init__(self, link: Link, secret: bytes, randomness: Randomness) -> None:
        """Count on a server.

        Args:
            link: `Awaited` in a loop, `Driven` in threads.
            secret: Keys the hash that keys are named by, 1 to 64 bytes; the same in every process.
            randomness: Numbers the leases of concurrency limits, never twice the same.
        """
        self._link = link
        self._secret = secret
        self._randomness = randomness

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Spend every ask, or none of them, as one atomic step.

        Raises:
            StoreError: The server could not answer within the deadline; what was asked may have been spent.
            UsageError: A cost that is no whole number from 0 up, or a limit the server cannot count exactly.
        """
        return await self._play("take", asks)

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        """Tell what `take` would answer, and change nothing."""
        return await self._play("peek", asks)

    async def release(self, asks: Sequence[Ask]) -> None:
        """Give back what concurrency limits hold; see `Counters.release`."""
        held = [ask for ask in asks if ask.limit.algorithm == "concurrency"]
        if any(ask.lease <= 0 for ask in held):
            raise UsageError("release a concurrency limit with the lease of its verdict")
        if held:
            await self._link.send(play("release", held, self._secret, self._randomness)[0])

    async def reset(self, subject: str) -> None:
        """Forget everything that was counted for one subject, whatever the limit."""
        await self._link.send(([key_of(self._secret, subject)], ("reset", [(0, ())])))

    async def _play(self, what: str, asks: Sequence[Ask]) -> Sequence[Verdict]:
        if not asks:
            return []
        step, leases = play(what, asks, self._secret, self._randomness)
        return verdicts(asks, leases, await self._link.send(step))


class Driven:
    """One call for each step, from any thread."""

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        instant: Callable[[], int] | None = None,
        calls: Calls | None = None,
        **connection: Any,
    ) -> None:
        """Prepare to connect; the first step does.

        Args:
            deadline: Seconds that each answer may take.
            instant: For tests: wall microseconds instead of the server's clock.
            calls: Where calls are noted.
            connection: What `redis.Redis` takes: `host`, `port`, `db`, `username`, `password`, `unix_socket_path`.
        """
        self._script = Script(instant)
        self._calls = calls or Calls()
        # No HELLO and no CLIENT SETINFO, which the counters' user may not send; no repeating behind our back.
        self._client: Any = Redis(
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
            socket_timeout=deadline,
            socket_connect_timeout=deadline,
            **connection,
        )

    async def send(self, step: Step) -> Sequence[int]:
        """Play a step; gives its figures. Blocks and never suspends.

        Raises:
            StoreError: The server did not answer, or not with figures.
        """
        call = self._script.call([step])
        begun = perf_counter()
        try:
            try:
                reply: bytes = self._client.execute_command("EVALSHA", self._script.sha, *call)
            except NoScriptError:
                # Nothing was played, so this once it may be sent again.
                reply = self._client.execute_command("EVAL", self._script.text, *call)
        except (RedisError, OSError) as fault:
            self._calls.failed += 1
            raise StoreError("counters") from fault
        self._calls.answered(1, begun)
        return figures(reply)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


class Awaited:
    """One call for all steps of a turn of the loop; belongs to the loop that first sends."""

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        instant: Callable[[], int] | None = None,
        calls: Calls | None = None,
        **connection: Any,
    ) -> None:
        """Prepare to connect; see `Driven`. The deadline is that of a whole batch."""
        self._script, self._deadline = Script(instant), deadline
        self._client: Any = AsyncRedis(retry=AsyncRetry(NoBackoff(), 0), protocol=2, driver_info=None, **connection)
        self._calls = calls or Calls()
        self._waiting: list[tuple[Step, asyncio.Future[Sequence[int]]]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def send(self, step: Step) -> Sequence[int]:
        """Play a step; gives its figures. Whoever is cancelled here takes nothing from the others of the batch.

        Raises:
            StoreError: The server did not answer within the deadline, or not with figures.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[int]] = loop.create_future()
        self._waiting.append((step, answer))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return await answer

    def _flush(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._batches) < _IN_FLIGHT:
            batch, self._waiting = self._waiting[:MOST_STEPS], self._waiting[MOST_STEPS:]
            task = asyncio.get_running_loop().create_task(self._play(batch))
            self._batches.add(task)
            task.add_done_callback(self._played)

    def _played(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._flush()

    async def _play(self, batch: list[tuple[Step, asyncio.Future[Sequence[int]]]]) -> None:
        begun = perf_counter()
        try:
            async with asyncio.timeout(self._deadline):
                said = await self._call([step for step, _ in batch])
            self._calls.answered(len(batch), begun)
        except Exception as fault:  # whatever it is, nobody may wait for ever
            self._calls.failed += 1
            said = [fault] * len(batch)
        for (_, answer), each in zip(batch, said, strict=True):
            if answer.done():
                continue
            if isinstance(each, Exception):
                # One error each: a shared one would gather everybody's traceback.
                failed = StoreError("counters")
                failed.__cause__ = each
                answer.set_exception(failed)
            else:
                answer.set_result(each)

    async def _call(self, steps: Sequence[Step]) -> Sequence[Sequence[int] | Exception]:
        """Send steps; gives the figures of each, or why it was not played."""
        call = self._script.call(steps)
        try:
            reply: bytes = await self._client.execute_command("EVALSHA", self._script.sha, *call)
        except NoScriptError:
            reply = await self._client.execute_command("EVAL", self._script.text, *call)
        return divided(steps, figures(reply))

    async def close(self) -> None:
        """Wait for what is in flight, and close every connection."""
        await asyncio.gather(*self._batches)
        await self._client.aclose()
