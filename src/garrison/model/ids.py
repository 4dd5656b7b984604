"""Names for records: random base62 text, from randomness that the caller hands in.

Base62 has no `-` or `+`, so a double click selects the whole of an id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["BASE62", "Randomness", "base62", "random_id"]

Randomness: TypeAlias = Callable[[int], bytes]
"""Gives that many unpredictable bytes: `os.urandom` in service, a seeded source in tests."""

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number: int, width: int) -> str:
    """Write a non-negative number in base62, padded with zeros to `width` characters."""
    letters = []
    while number:
        number, rest = divmod(number, 62)
        letters.append(BASE62[rest])
    return "".join(reversed(letters)).rjust(width, "0")


def random_id(randomness: Randomness, width: int = 12) -> str:
    """Draw an id of `width` base62 characters, each worth 5.95 bits.

    Twelve characters are 71 bits: among ten million ids two are equal with odds of 2 in 10**8.
    The draw is 64 bits longer than the id, so that no character is likelier than another.
    """
    bits = width * 6 + 64
    number = int.from_bytes(randomness(-(-bits // 8)), "big")
    return base62(number % 62**width, width)
