"""Row 2 of the chapter: a validator that blocks an address after too many failures.

No artificial sleep: an answer costs the same for keys that exist and keys that do not, and a blocked address is
answered without looking at its key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from garrison.handbook.api_key_manager import APIKeyManager
from garrison.handbook.twoway import both_ways_or
from garrison.limits import Ask, parse
from garrison.limits.subject import subject_key
from garrison.model.net import address_subject
from garrison.model.units import SECOND
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

if TYPE_CHECKING:
    from garrison.stores.protocols import Counters

__all__ = ["FAILURES", "SecureAPIKeyValidator"]

FAILURES: Final = parse("at most 10 in 15m per address")
"""Failures of one address that are let pass; exact, in any 15 minutes. An IPv6 address counts as its /64."""

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{20,512}")


def _told(reason: str, retry_after: int = 0) -> dict[str, Any]:
    return {"valid": False, "reason": reason, "retry_after": retry_after, "key_info": None}


_INVALID: Final = _told("invalid")


class SecureAPIKeyValidator:
    """Validates keys for callers of whom only the address is known."""

    def __init__(self, *, manager: APIKeyManager | None = None, counters: Counters | None = None) -> None:
        """Ask a manager about keys, and count failures in a store; one of each in memory when left out."""
        self.manager = manager or APIKeyManager()
        self._counters = MemoryCounters(SystemClock()) if counters is None else counters

    @both_ways_or(_INVALID)
    async def validate_with_security_checks(self, api_key: str, client_ip: str | None, endpoint: str) -> dict[str, Any]:
        """Validate a key and spend one use of it.

        Args:
            api_key: As presented: at least 20 characters of `[A-Za-z0-9_-]`.
            client_ip: Address of the caller; callers without one share a count.
            endpoint: What is asked for.

        Returns:
            `valid`, `reason` (empty; `blocked`, `invalid`, `endpoint`, `limit`), `retry_after` (seconds, where waiting
            helps; else 0) and `key_info` (what `validate_api_key` tells; None for an invalid key).
        """
        ask = Ask(subject_key("key failures", address_subject(client_ip or "")), FAILURES)
        (verdict,) = await self._counters.peek([ask])
        if not verdict.allowed:
            return _told("blocked", -(-verdict.retry_after // SECOND))
        # The form is public, so refusing it early tells nothing; it is a failure all the same.
        found = await self.manager.validate_api_key.aio(api_key) if _FORM.fullmatch(api_key) else None
        if found is None:
            await self._counters.take([ask])
            return _told("invalid")
        if await self.manager.track_usage.aio(found["key_id"], endpoint):
            return {"valid": True, "reason": "", "retry_after": 0, "key_info": found}
        fits = await self.manager.check_rate_limit.aio(found["key_id"])
        return {**_told("endpoint" if fits else "limit"), "key_info": found}
