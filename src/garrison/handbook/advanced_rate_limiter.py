"""The chapter's exercise: limits that can be set, read and reset while they hold, by three strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.handbook.arguments import checked
from garrison.handbook.rate_limiter import limit_info
from garrison.handbook.twoway import both_ways
from garrison.limits import Ask, Limit
from garrison.limits.adaptive import price
from garrison.limits.limit import MOST_LOGGED, Algorithm
from garrison.limits.subject import subject_key
from garrison.model.units import SECOND
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.stores.protocols import Counters

__all__ = ["AdvancedRateLimiter", "Strategy"]

Strategy: TypeAlias = Literal["fixed_window", "sliding_window", "token_bucket"]
"""`sliding_window` never exceeds its limit; the others may pass twice of it around an edge."""

_ALGORITHMS: Final[dict[Strategy, Algorithm]] = {
    "fixed_window": "calendar",
    "sliding_window": "window",
    "token_bucket": "rate",
}


class AdvancedRateLimiter:
    """Limits identifiers, such as `user:ada` and `ip:203.0.113.7`, each by its own numbers.

    Safe for threads and tasks, and exact. Every method is called at once, or awaited as `method.aio(...)`.
    """

    @checked
    def __init__(
        self,
        *,
        strategy: Strategy = "sliding_window",
        default: tuple[int, int] = (1000, 3600),
        counters: Counters | None = None,
        load: Callable[[], float] | None = None,
    ) -> None:
        """Choose how to count.

        Args:
            strategy: How a window is understood.
            default: Requests and seconds of an identifier for which nothing was set.
            counters: Where to count, such as `open_counters("redis://…")`; in memory when left out.
            load: Tells how busy the service is, from 0 to 1; above 0.7 a request costs more of its limit, at 1 ten
                times as much (`garrison.limits.adaptive.price`). Left out, it never does.

        Raises:
            UsageError: An unknown strategy, or a default out of its bounds.
        """
        self.strategy: Strategy = strategy
        self.counters = MemoryCounters(SystemClock()) if counters is None else counters
        self._default = self._limit(*default)
        self._load = load
        self._limits: dict[str, Limit] = {}

    @both_ways
    async def set_rate_limit(self, identifier: str, limit: int, window: int) -> None:
        """Let an identifier pass `limit` times in `window` seconds; what it has spent stays spent.

        Raises:
            UsageError: A number out of its bounds.
        """
        self._limits[identifier] = self._limit(limit, window)

    @both_ways
    async def check_rate_limit(self, identifier: str) -> tuple[bool, dict[str, int | None]]:
        """Spend one request."""
        ask = self._ask(identifier)
        (verdict,) = await self.counters.take([ask])
        return verdict.allowed, limit_info(ask.limit, verdict)

    @both_ways
    async def reset_rate_limit(self, identifier: str) -> None:
        """Forget what an identifier has spent; its limit stays."""
        await self.counters.reset(self._ask(identifier).subject)

    @both_ways
    async def get_rate_limit_status(self, identifier: str) -> dict[str, int | None]:
        """Look, and spend nothing."""
        ask = self._ask(identifier, 0)
        (verdict,) = await self.counters.peek([ask])
        return limit_info(ask.limit, verdict)

    def _ask(self, identifier: str, cost: int = 1) -> Ask:
        limit = self._limits.get(identifier, self._default)
        if cost and self._load is not None:
            cost = price(limit, self._load())
        return Ask(subject_key("advanced", identifier), limit, cost)

    def _limit(self, count: int, seconds: int) -> Limit:
        algorithm = _ALGORITHMS[self.strategy]
        if algorithm == "window" and count <= MOST_LOGGED:
            algorithm = "log"
        return Limit(algorithm=algorithm, count=count, window=seconds * SECOND, name="advanced")
