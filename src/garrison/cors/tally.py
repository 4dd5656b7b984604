"""What was refused and why: counts by reason, and the origins seen last, safe to print.

Counts are for watching, not for deciding: two threads at the same instant may be counted as one.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from garrison.cors.origin import LONGEST, parse

__all__ = ["REASONS", "Refused", "Tally", "printable", "reason_of"]

REASONS = ("origin", "null", "malformed", "several", "method", "header", "cross_site", "handshake")
"""Why something was refused: the origin is not listed, is `null`, is no origin, came twice; the method or a field
is not listed; a cross-site write; a WebSocket handshake of a foreign page."""

_MOST_RECENT = 64


class Refused(NamedTuple):
    """One refused origin, escaped so that it can neither forge a log line nor a page."""

    origin: str
    reason: str


class Tally:
    """Counters of refusals; shared by a policy and whatever replaces it."""

    __slots__ = ("counts", "recent")

    def __init__(self) -> None:
        """Begin at zero."""
        self.counts: dict[str, int] = dict.fromkeys(REASONS, 0)
        self.recent: deque[Refused] = deque(maxlen=_MOST_RECENT)
        """Origins refused lately, the newest last; each once until many others came."""

    def origin(self, origin: bytes) -> str:
        """Count an origin that is refused for the first time in a while, and say why it is."""
        reason = reason_of(origin)
        self.counts[reason] += 1
        self.recent.append(Refused(printable(origin), reason))
        return reason

    def count(self, reason: str) -> None:
        """Count a refusal for another reason than the origin's own."""
        self.counts[reason] += 1


def printable(value: bytes) -> str:
    """Escape what a caller sent: no control character, no byte beyond ASCII, no markup, at most 100 bytes of it."""
    text = value[:100].decode("latin-1").encode("unicode_escape").decode("ascii")
    for letter in "<>&\"'":
        text = text.replace(letter, f"\\x{ord(letter):02x}")
    return text


def reason_of(origin: bytes) -> str:
    """Say why an origin that matched nothing is refused."""
    if origin == b"null":
        return "null"
    if b"," in origin[:LONGEST]:
        return "several"
    return "malformed" if parse(origin[: LONGEST + 1].decode("latin-1")) is None else "origin"
