"""The chapter's rate limiter: a token bucket for each identifier, and a window that is never exceeded."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from garrison.errors import UsageError
from garrison.handbook.twoway import both_ways
from garrison.limits import NEVER, Ask, Limit, Verdict, parse
from garrison.limits.limit import MOST
from garrison.limits.subject import subject_key
from garrison.model.units import SECOND
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

if TYPE_CHECKING:
    from garrison.stores.protocols import Counters

__all__ = ["RateLimiter", "limit_info", "token_bucket"]

_UNKNOWN: Final = parse("100/s burst 1000 as bucket")
"""The limit of an identifier for which none was created."""


class RateLimiter:
    """Limits identifiers: users, keys, addresses, whatever the caller names.

    Safe for threads and tasks. Every method is called at once, or awaited as `method.aio(...)`.
    """

    def __init__(self, *, counters: Counters | None = None) -> None:
        """Count in a store; in memory when left out."""
        self.counters = MemoryCounters(SystemClock()) if counters is None else counters
        self._limits: dict[str, Limit] = {}

    @both_ways
    async def create_rate_limit(
        self, identifier: str, requests_per_second: float, burst_capacity: int | None = None
    ) -> None:
        """Give an identifier a token bucket; its burst is ten seconds' worth when left out.

        Raises:
            UsageError: A rate that is not between 0 and 10**9, or a burst out of its bounds.
        """
        self._limits[identifier] = token_bucket(requests_per_second, burst_capacity)

    @both_ways
    async def is_allowed(self, identifier: str, tokens_requested: int = 1) -> tuple[bool, dict[str, int | None]]:
        """Spend tokens, all or none. An identifier that is not known has 100 a second, 1,000 at once.

        Raises:
            UsageError: A number of tokens that is no whole number from 0 up.
        """
        limit = self._limits.get(identifier, _UNKNOWN)
        (verdict,) = await self.counters.take([Ask(subject_key("bucket", identifier), limit, tokens_requested)])
        return verdict.allowed, limit_info(limit, verdict)

    @both_ways
    async def sliding_window_check(
        self, identifier: str, window_seconds: int = 3600, max_requests: int = 1000
    ) -> tuple[bool, dict[str, int | None]]:
        """Spend one request of a window that never holds more than `max_requests`, wherever it begins.

        Raises:
            UsageError: A window or a number out of its bounds.
        """
        limit = parse(f"at most {max_requests} in {window_seconds}s")
        (verdict,) = await self.counters.take([Ask(subject_key("window", identifier), limit)])
        return verdict.allowed, limit_info(limit, verdict)


def token_bucket(requests_per_second: float, burst_capacity: int | None) -> Limit:
    """Write a rate of requests per second, such as 50 or 0.5, as a limit.

    Raises:
        UsageError: It is not between 0 and 10**9, or the burst is out of its bounds.
    """
    if not 0 <= requests_per_second <= MOST:
        raise UsageError(f"{requests_per_second!r} is not a rate from 0 to {MOST:,} requests per second")
    rate = Fraction(requests_per_second).limit_denominator(1_000_000)
    burst = max(int(10 * rate), 1 if rate else 0) if burst_capacity is None else burst_capacity
    return Limit(count=rate.numerator, window=rate.denominator * SECOND, burst=burst, name="bucket")


def limit_info(limit: Limit, verdict: Verdict) -> dict[str, int | None]:
    """Say what a verdict says, in whole seconds rounded up.

    Returns:
        `limit`, `remaining`, `reset` (until more come back) and `retry_after` (None: no waiting helps).
    """
    return {
        "limit": limit.burst,
        "remaining": verdict.remaining,
        "reset": -(-verdict.reset_after // SECOND),
        "retry_after": None if verdict.retry_after >= NEVER else -(-verdict.retry_after // SECOND),
    }
