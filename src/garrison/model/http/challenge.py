"""What a refusal asks for: `WWW-Authenticate`, one line per scheme.

Sources: RFC 9110 section 11.6.1; RFC 6750 section 3 and RFC 9470 section 3, whose parameters are Bearer's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.http.request import Header

__all__ = ["challenges", "is_bearer", "scheme"]


def scheme(name: str, realm: str) -> bytes:
    """Name a scheme and what it opens, printable ASCII without quotes: `Bearer realm="notes"`."""
    return f'{name} realm="{realm}"'.encode("ascii")


def is_bearer(challenge: bytes) -> bool:
    """Tell whether a challenge takes the parameters of RFC 6750."""
    return challenge.startswith(b"Bearer ")


def challenges(schemes: Iterable[bytes], told: str = "") -> tuple[Header, ...]:
    """Write the lines.

    Args:
        schemes: What would do, as `scheme` wrote it; named twice, it is written once.
        told: Parameters for Bearer: `error="invalid_token"`. Empty when nothing was presented, as RFC 6750 demands.
    """
    tail = f", {told}".encode("ascii") if told else b""
    return tuple((b"www-authenticate", each + tail if is_bearer(each) else each) for each in dict.fromkeys(schemes))
