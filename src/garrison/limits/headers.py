"""What an answer says about limits: `RateLimit`, `RateLimit-Policy`, `Retry-After`, and the problem of a refusal.

Sources: draft-ietf-httpapi-ratelimit-headers-10 (fields and problem types), RFC 9651 (structured fields), RFC 9110
section 10.2.3 (`Retry-After`), RFC 6585 section 4 (429).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from garrison.limits.limit import NEVER
from garrison.limits.notation import text
from garrison.model.refusal import refuse
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits.limit import Ask, Limit, Verdict
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header

__all__ = ["QUOTA_EXCEEDED", "limit_headers", "limit_name", "limit_refusal"]

QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""Problem type of a refusal by a limit."""


@lru_cache(maxsize=1024)
def limit_name(limit: Limit) -> str:
    """Give the name under which callers see a limit: its own, or what it says."""
    return limit.name or text(limit).replace(" per ", "/").replace(" ", "-")


@lru_cache(maxsize=1024)
def _policy(limit: Limit) -> bytes:
    """Write the `RateLimit-Policy` item of a limit."""
    quota = limit.burst if limit.algorithm == "rate" else limit.count
    item = f'"{limit_name(limit)}";q={quota}'
    if limit.algorithm == "concurrency":
        return f'{item};qu="concurrent-requests"'.encode("ascii")
    # The time in which the whole quota comes back, so that a client that spreads it never waits.
    window = limit.window * quota // max(limit.count, 1) if limit.algorithm == "rate" else limit.window
    return f"{item};w={max(1, -(-window // SECOND))}".encode("ascii")


@lru_cache(maxsize=1024)
def _name(limit: Limit) -> bytes:
    return f'"{limit_name(limit)}";r='.encode("ascii")


def limit_headers(asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> list[Header]:
    """Write the fields of an answer for what was spent; seconds are rounded up, so that nobody comes too early."""
    told = [
        (_policy(ask.limit), b"%s%d;t=%d" % (_name(ask.limit), verdict.remaining, -(-verdict.reset_after // SECOND)))
        for ask, verdict in zip(asks, verdicts, strict=True)
    ]
    return [
        (b"ratelimit-policy", b", ".join([policy for policy, _ in told])),
        (b"ratelimit", b", ".join([state for _, state in told])),
    ]


def limit_refusal(asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> Refusal:
    """Refuse because of the limits that deny: 429 with the longest wait and every violated policy."""
    denied = [(ask, verdict) for ask, verdict in zip(asks, verdicts, strict=True) if not verdict.allowed]
    wait = max(verdict.retry_after for _, verdict in denied)
    headers = () if wait >= NEVER else ((b"retry-after", b"%d" % max(1, -(-wait // SECOND))),)
    names = [limit_name(ask.limit) for ask, _ in denied]
    return refuse(
        "limit_exceeded",
        "limit:" + ",".join(names),
        headers=headers,
        members={"violated-policies": names},
        type=QUOTA_EXCEEDED,
    )
