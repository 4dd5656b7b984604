"""Durations and sizes as a policy writes them: `"5m"` and `"1MiB"`; instants as answers tell them.

Inside, instants and durations are an `int` of microseconds and a size an `int` of bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime

from garrison.errors import UsageError

__all__ = [
    "DAY",
    "HOUR",
    "MILLISECOND",
    "MINUTE",
    "SECOND",
    "duration",
    "duration_text",
    "instant_text",
    "size",
    "size_text",
]

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_DURATIONS = {"us": 1, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LONGEST = 2**53
"""Beyond it a number is no longer exact in Lua and JavaScript, so no store could keep it."""


def duration(text: str) -> int:
    """Read `"250ms"`, `"5m"`, `"1h30m"`, `"7d"`.

    Returns:
        Microseconds, at least 0.

    Raises:
        UsageError: Anything else: signs, spaces, fractions, unknown units, units out of order.
    """
    return _read(text, _DURATIONS, "a duration such as 30s, 5m, 1h30m or 7d")


def size(text: str) -> int:
    """Read `"512B"`, `"16KiB"`, `"1MiB"`.

    Returns:
        Bytes, at least 0.

    Raises:
        UsageError: Anything else.
    """
    return _read(text, _SIZES, "a size such as 512B, 16KiB or 1MiB")


def instant_text(microseconds: int) -> str:
    """Write an instant for programs, in UTC and whole seconds: `2026-03-01T12:00:00Z` (RFC 3339 section 5.6).

    Args:
        microseconds: Wall microseconds, of a year up to 9999.
    """
    return datetime.fromtimestamp(microseconds // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration_text(microseconds: int) -> str:
    """Write a duration the way `duration` reads it, in as few units as it takes."""
    return _write(microseconds, _DURATIONS, "0s")


def size_text(count: int) -> str:
    """Write a size the way `size` reads it."""
    return _write(count, _SIZES, "0B")


def _read(text: str, units: dict[str, int], wanted: str) -> int:
    total, smallest, rest = 0, _LONGEST, text
    while rest:
        number, unit, rest = _part(rest)
        factor = units.get(unit, 0)
        if not number or len(number) > 16 or not 0 < factor < smallest:
            break
        total, smallest = total + int(number) * factor, factor
    else:
        if text and total <= _LONGEST:
            return total
    msg = f"{text[:40]!r} is not {wanted}"
    raise UsageError(msg)


def _part(text: str) -> tuple[str, str, str]:
    """Split the leading digits and the letters after them from the rest; ASCII only."""
    rest = text.lstrip("0123456789")
    number = text[: len(text) - len(rest)]
    end = next((at for at, letter in enumerate(rest) if letter in "0123456789"), len(rest))
    return number, rest[:end], rest[end:]


def _write(amount: int, units: dict[str, int], nothing: str) -> str:
    parts = []
    for unit, factor in sorted(units.items(), key=lambda item: -item[1]):
        count, amount = divmod(amount, factor)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or nothing
