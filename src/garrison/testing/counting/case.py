"""Opens a store of counters for each test, and plays with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from random import Random
from typing import Any, ClassVar, Final, TypeVar

from garrison.guard.drive import drive
from garrison.limits import Ask, Limit, Verdict, parse
from garrison.stores.protocols import Counters
from garrison.testing.clock import ManualClock

__all__ = ["EVERY_LIMIT", "EXACT_LIMITS", "RATES", "CountersCase"]

T = TypeVar("T")

EXACT_LIMITS: Final = (
    "at most 5 in 1s",
    "at most 64 in 1m",
    "at most 100 in 1m",
    "at most 70 in 7us",
    "at most 1 in 1d",
)
"""Never more than the count in any stretch of the window."""

RATES: Final = ("10/s", "1/s", "100/m", "7/s burst 3", "1/7s", "3/10d", "50/s burst 500", "300000/s burst 2", "5/7us")
"""Plain ones, and ones whose interval is no whole number of microseconds."""

EVERY_LIMIT: Final = (*EXACT_LIMITS, *RATES, "5 per calendar hour", "3 per calendar month", "4 at once for 3s")
"""One of each kind and more."""


class CountersCase:
    """A store, a clock, and a face."""

    driven: ClassVar[bool] = True
    """Whether the coroutines are driven by hand, or awaited on a loop."""

    def open(self, clock: ManualClock) -> Counters:
        """Open a new, empty store on a clock; the subclass says how."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Open it (pytest calls this)."""
        self.runner = asyncio.Runner()
        self.afresh()

    def teardown_method(self) -> None:
        """End the loop (pytest calls this)."""
        self.runner.close()

    def afresh(self) -> None:
        """Forget everything."""
        self.clock = ManualClock()
        self.store = self.open(self.clock)

    def draws(self, seed: int) -> Random:
        """Give a source of draws that are the same each time."""
        return Random(seed)  # noqa: S311  # a schedule is no secret

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine."""
        return drive(work) if self.driven else self.runner.run(work)

    def take(self, *asks: Ask) -> Sequence[Verdict]:
        """Spend several asks in one step."""
        return self.run(self.store.take(asks))

    def one(self, limit: Limit | str, subject: str = "s", cost: int = 1) -> Verdict:
        """Spend one ask."""
        return self.take(Ask(subject, _limit(limit), cost))[0]

    def peek(self, limit: Limit | str, subject: str = "s", cost: int = 1) -> Verdict:
        """Look at one ask."""
        return self.run(self.store.peek([Ask(subject, _limit(limit), cost)]))[0]

    def spend_all(self, limit: Limit | str, subject: str = "s") -> int:
        """Spend one at a time until it is denied; gives how many passed."""
        passed = 0
        while self.one(limit, subject).allowed:
            passed += 1
        return passed

    def every_limit(self, *texts: str) -> Iterator[Limit]:
        """Give one limit after the other, each with an empty store."""
        for text in texts or EVERY_LIMIT:
            self.afresh()
            yield parse(text)

    def race(self, work: Callable[[], Coroutine[Any, Any, Sequence[Verdict]]], callers: int, times: int) -> list[bool]:
        """Let many callers try many times at once; gives whether each step passed."""
        passed: list[bool] = []

        async def tries() -> None:
            for _ in range(times):
                passed.append(_passes(await work()))
                await asyncio.sleep(0)

        def drives() -> None:
            start.wait()
            passed.extend(_passes(drive(work())) for _ in range(times))

        async def gather() -> None:
            await asyncio.gather(*[tries() for _ in range(callers)])

        if not self.driven:
            self.runner.run(gather())
            return passed
        start = threading.Barrier(callers)
        threads = [threading.Thread(target=drives) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return passed


def _passes(verdicts: Sequence[Verdict]) -> bool:
    return all(verdict.allowed for verdict in verdicts)


def _limit(limit: Limit | str) -> Limit:
    return parse(limit) if isinstance(limit, str) else limit
