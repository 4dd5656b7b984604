"""Row 6 of the chapter: judge a request by who asks, for what and how often, and shut out whoever goes on.

A request earns a level by its path and its `User-Agent`, the level a limit, and each request beyond the limit a
violation. Limits are exact, counted by network, and the levels apart: a login page that is asked for politely is not
slowed by a scan beside it, until there are too many violations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from garrison.handbook.twoway import both_ways
from garrison.limits import Ask, parse
from garrison.limits.subject import subject_key
from garrison.model.net import address_subject
from garrison.model.units import SECOND
from garrison.policy.schema import Abuse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

if TYPE_CHECKING:
    from garrison.stores.protocols import Counters

__all__ = ["LEVELS", "SENSITIVE", "VIOLATIONS", "DDoSProtection"]

LEVELS: Final = {
    "low": parse("100/s per address"),
    "medium": parse("at most 50 in 60s per address"),
    "high": parse("at most 10 in 60s per address"),
}
"""What each level of suspicion leaves to a network (an address, or a /64 of IPv6)."""

VIOLATIONS: Final = parse("at most 11 in 1h per address")
"""Requests beyond a limit: with the eleventh, more than ten, the network is shut out until the hour allows."""

SENSITIVE: Final = ("/admin", "/api/auth", "/auth", "/config", "/login", "/wp-admin")
"""Beginnings of paths that are worth attacking."""

_DEFAULTS: Final = Abuse()


class DDoSProtection:
    """Tells request by request what to do with a network."""

    def __init__(self, *, counters: Counters | None = None) -> None:
        """Count in a store; in memory when left out."""
        self._counters = MemoryCounters(SystemClock()) if counters is None else counters

    @both_ways
    async def analyze_request_pattern(
        self, ip_address: str | None, endpoint: str, user_agent: str | None
    ) -> dict[str, Any]:
        """Judge one request, and count it.

        Args:
            ip_address: Address of the caller; callers without one share a count.
            endpoint: Path that is asked for.
            user_agent: As the caller says; None or empty: it says nothing.

        Returns:
            `allowed`, `suspicion` (`low`, `medium`, `high`), `reasons` (what earned it), `blocked` (whether the network
            is shut out altogether) and `retry_after` (whole seconds, 0 when allowed).
        """
        network = address_subject(ip_address or "")
        violations = Ask(subject_key("violations", network), VIOLATIONS)
        (verdict,) = await self._counters.peek([violations])
        level, reasons = _suspicion(endpoint, user_agent or "")
        if not verdict.allowed:
            return _told(level, reasons, verdict.retry_after, blocked=True)
        (verdict,) = await self._counters.take([Ask(subject_key(level, network), LEVELS[level])])
        if verdict.allowed:
            return _told(level, reasons, 0, blocked=False)
        await self._counters.take([violations])
        return _told(level, reasons, verdict.retry_after, blocked=False)


def _suspicion(endpoint: str, agent: str) -> tuple[str, list[str]]:
    path, agent = endpoint.lower(), agent.lower()
    reasons = []
    if path.startswith(_DEFAULTS.honeypots):
        reasons.append("honeypot")
    if any(name in agent for name in _DEFAULTS.scanners):
        reasons.append("scanner")
    if reasons:
        return "high", reasons
    if path.startswith(SENSITIVE):
        reasons.append("sensitive")
    if not agent:
        reasons.append("no user agent")
    return ("medium" if reasons else "low"), reasons


def _told(level: str, reasons: list[str], wait: int, *, blocked: bool) -> dict[str, Any]:
    seconds = -(-wait // SECOND)
    return {
        "allowed": not wait,
        "suspicion": level,
        "reasons": reasons,
        "blocked": blocked,
        "retry_after": seconds,
    }
