"""Devices and networks that an account knows: where its owner has logged in before.

A device is known by a random token in a cookie, of which the account keeps a keyed digest. It is no credential:
it opens nothing, it only gives the owner a lane of tries that strangers cannot fill.

Sources: OWASP Authentication, "Device cookies"; RFC 6265bis section 4.1.3.2 (`__Host-`).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from msgspec import Struct

from garrison.model.ids import BASE62, random_id
from garrison.model.units import DAY, SECOND

if TYPE_CHECKING:
    from garrison.model.http.request import Header, Request
    from garrison.model.ids import Randomness

__all__ = [
    "KNOWN_FOR",
    "MOST_DEVICES",
    "MOST_NETWORKS",
    "Seen",
    "cookie_name",
    "device_of",
    "digest",
    "is_known",
    "new_device",
    "set_cookie",
    "with_seen",
]

KNOWN_FOR = 180 * DAY
"""Microseconds for which a device or network stays known after its last login."""

MOST_DEVICES = 10
"""Devices an account knows; the one not seen for longest goes."""

MOST_NETWORKS = 3
"""Networks an account knows. Each adds a lane of guesses for whoever shares it, so they are few."""

_WIDTH = 32
"""Characters of a device's token: 190 bits."""

_PLAIN = "garrison_device"


class Seen(Struct, frozen=True):
    """A device or network from which the owner logged in."""

    digest: str
    """Keyed digest of its token or address."""

    at: int
    """Last login, wall microseconds, to the day."""


def digest(key: bytes, label: str, text: str) -> str:
    """Give the keyed digest of something that the store shall not show; 128 bits.

    Args:
        key: Of the purpose.
        label: What it is, so that no two things of different kinds share a digest: a constant.
        text: What is hidden.
    """
    return hmac.digest(key, f"{label}\0{text}".encode("utf-8", "surrogatepass"), "sha256")[:16].hex()


def cookie_name(*, secure: bool) -> str:
    """Name the cookie. `__Host-`: browsers take it from this very host over https only."""
    return f"__Host-{_PLAIN}" if secure else _PLAIN


def device_of(request: Request, *, secure: bool) -> str:
    """Read the device's token; empty when there is none, when it came twice, or when it is not of our making."""
    name = cookie_name(secure=secure)
    pairs = [pair.strip() for line in request.lines(b"cookie") for pair in line.decode("latin-1").split(";")]
    values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key == name]
    if len(values) != 1 or len(values[0]) != _WIDTH or not set(values[0]) <= set(BASE62):
        return ""
    return values[0]


def new_device(randomness: Randomness) -> str:
    """Draw the token of a device never seen."""
    return random_id(randomness, _WIDTH)


def set_cookie(token: str, *, secure: bool) -> Header:
    """Make the header line that leaves the token with the device."""
    pair = f"{cookie_name(secure=secure)}={token}"
    tail = "; Secure" if secure else ""
    line = f"{pair}; Path=/; Max-Age={KNOWN_FOR // SECOND}; HttpOnly; SameSite=Strict{tail}"
    return b"set-cookie", line.encode("ascii")


def is_known(seen: tuple[Seen, ...], digest: str, now: int) -> bool:
    """Tell whether the owner logged in there within `KNOWN_FOR`."""
    return any(each.digest == digest and now - each.at < KNOWN_FOR for each in seen)


def with_seen(seen: tuple[Seen, ...], digest: str, now: int, most: int) -> tuple[Seen, ...]:
    """Add a login, newest first; the same tuple when it says so already today."""
    today = now - now % DAY
    if any(each.digest == digest and each.at == today for each in seen):
        return seen
    others = tuple(each for each in seen if each.digest != digest)
    return (Seen(digest, today), *others)[:most]
