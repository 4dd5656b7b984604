"""What an answer says about limits: `RateLimit`, `RateLimit-Policy`, `Retry-After`, and the problem of a refusal.

An answer that passed lists every limit that was spent; one that was denied lists those that denied it, because
`Retry-After` must not be earlier than the time any of them gives. Limits that only observe are never listed.

Sources: draft-ietf-httpapi-ratelimit-headers-10 (fields, problem types), RFC 9651 (structured fields), RFC 9110
section 10.2.3 (`Retry-After`), RFC 6585 section 4 (429).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.limits.limit import NEVER
from garrison.limits.notation import text
from garrison.model.http.refusal import refuse
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.limits.limit import Ask, Limit, Verdict
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Header

__all__ = [
    "ABNORMAL_USAGE",
    "QUOTA_EXCEEDED",
    "REDUCED_CAPACITY",
    "limit_headers",
    "limit_name",
    "limit_refusal",
    "retry_seconds",
]

_REGISTRY: Final = "https://iana.org/assignments/http-problem-types#"

QUOTA_EXCEEDED: Final = f"{_REGISTRY}quota-exceeded"
"""Problem type of a refusal by a limit, 429."""

REDUCED_CAPACITY: Final = f"{_REGISTRY}temporary-reduced-capacity"
"""Problem type of a refusal because of load, 503."""

ABNORMAL_USAGE: Final = f"{_REGISTRY}abnormal-usage-detected"
"""Problem type of a refusal by a penalty, 429."""

_REMEMBERED: Final = 1024
"""Limits whose header items are kept."""


def limit_name(limit: Limit) -> str:
    """Give the name under which callers see a limit: its own, or what it says, such as `50/s-burst-500/principal`."""
    return limit.name or text(limit.but(counted="exact", otherwise="records")).replace(" per ", "/").replace(" ", "-")


def limit_headers(asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> list[Header]:
    """Write the fields of an answer; seconds are rounded up, so that nobody comes too early.

    Args:
        asks: What was asked of the counters, in the order of the verdicts.
        verdicts: Their answers.

    Returns:
        `RateLimit-Policy` and `RateLimit`; nothing when there is no limit to tell of.
    """
    if len(verdicts) == 1:
        # Nearly every answer tells of one limit; written out, this is half the work.
        limit, verdict = asks[0].limit, verdicts[0]
        policy, state, told = _ITEMS.get(limit.identity) or _learn(limit)
        if not told:
            return []
        return [(b"ratelimit-policy", policy), (b"ratelimit", state % (verdict[1], -(-verdict[3] // SECOND)))]
    if not all(verdict[0] for verdict in verdicts):
        denied = [(ask, verdict) for ask, verdict in zip(asks, verdicts, strict=True) if not verdict[0]]
        asks, verdicts = zip(*denied, strict=True)
    policies: list[bytes] = []
    states: list[bytes] = []
    for ask, verdict in zip(asks, verdicts, strict=True):
        policy, state, told = _ITEMS.get(ask.limit.identity) or _learn(ask.limit)
        if told:
            policies.append(policy)
            states.append(state % (verdict[1], -(-verdict[3] // SECOND)))
    if not policies:
        return []
    return [(b"ratelimit-policy", b", ".join(policies)), (b"ratelimit", b", ".join(states))]


def retry_seconds(asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> int | None:
    """Tell how many whole seconds to wait until every limit that denied would pass.

    Returns:
        At least 1; None when no waiting helps. A place among concurrent requests may be free at any moment, so
        that it alone is worth a second.
    """
    wait = SECOND
    for ask, verdict in zip(asks, verdicts, strict=True):
        if not verdict.allowed and (ask.limit.algorithm != "concurrency" or verdict.retry_after >= NEVER):
            wait = max(wait, verdict.retry_after)
    return None if wait >= NEVER else -(-wait // SECOND)


def limit_refusal(asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> Refusal:
    """Refuse because of the limits that deny: 429 with the longest wait and every violated policy."""
    wait = retry_seconds(asks, verdicts)
    names = [limit_name(ask.limit) for ask, verdict in zip(asks, verdicts, strict=True) if not verdict.allowed]
    return refuse(
        "limit_exceeded",
        "limit:" + ",".join(names),
        headers=() if wait is None else ((b"retry-after", b"%d" % wait),),
        members={"violated-policies": names},
        type=QUOTA_EXCEEDED,
    )


_Items: TypeAlias = tuple[bytes, bytes, bool]
"""What stays the same of a limit: its policy, its state with two gaps, and whether it is told."""

_ITEMS: dict[str, _Items] = {}
"""By `Limit.identity`; a dictionary, because the hash of a text is remembered and that of a limit is not."""


def _learn(limit: Limit) -> _Items:
    """Write the items of a limit.

    The quota is what may come at once, the window the time in which all of it comes back: a client that spreads
    the one over the other never waits. Names are plain, so nothing in the strings needs an escape (RFC 9651
    section 3.3.3).
    """
    name = f'"{limit_name(limit)}"'
    if limit.algorithm == "concurrency":
        quota = f'q={limit.count};qu="concurrent-requests"'
    else:
        window = limit.drain if limit.algorithm == "rate" else limit.window
        quota = f"q={limit.burst};w={max(-(-window // SECOND), 1)}"
    if len(_ITEMS) >= _REMEMBERED:
        _ITEMS.clear()
    # A place among concurrent requests has no time to tell: `%.0a` takes it and writes nothing.
    time = "%.0a" if limit.algorithm == "concurrency" else ";t=%d"
    items = (f"{name};{quota}".encode(), f"{name.replace('%', '%%')};r=%d{time}".encode(), limit.mode == "enforce")
    _ITEMS[limit.identity] = items
    return items
