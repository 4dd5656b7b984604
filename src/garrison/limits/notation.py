"""Limits as a policy writes them: `"50/s burst 500 per principal"`.

The notation, one line for each way of counting; `N` is a whole number, `W` a duration such as `15m`:

    N/W [burst B]               rate: N come back per W (s, m, h, d, w, 10s, 1h30m), B may come at once
    at most N in W              exact: never more than N in any stretch of W
    N per calendar U            N per minute, hour, day or month of UTC, or per W counted from 1970
    N at once [for W]           N in flight; one counts for at most W (5m) if it is never released

Each may go on with `per address|principal|key|tenant|global` (address when left out), then `as NAME`, then
`observe`, then how processes count together, `exact|fast|local` (exact when left out; only a rate is fast), then
`else records|closed|local|open` (records when left out): what happens when that cannot be counted. Words are separated
by one or more spaces. `parse(text(limit)) == limit` for every limit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from garrison.errors import UsageError
from garrison.limits.limit import COUNTED, MONTH, MOST_LOGGED, Limit
from garrison.model.units import DAY, HOUR, MINUTE, duration, duration_text

__all__ = ["parse", "text"]

_LONGEST_TEXT: Final = 200
_LEASE: Final = 5 * MINUTE
_CALENDAR: Final = {"minute": MINUTE, "hour": HOUR, "day": DAY, "month": MONTH}
_EXAMPLES: Final = '"50/s burst 500 per principal", "at most 5 in 1h", "1000 per calendar day per key" or "4 at once"'


@lru_cache(maxsize=1024)
def parse(notation: str) -> Limit:
    """Read a limit; equal texts give the same limit.

    Args:
        notation: One of the forms above.

    Returns:
        The limit; `at most` counts in an exact log up to 64, in a conservative window above.

    Raises:
        UsageError: It is none of the forms, or a number is out of its bounds.
    """
    words = notation[: _LONGEST_TEXT + 1].split(" ")
    words = [word for word in words if word]
    try:
        if len(notation) > _LONGEST_TEXT:
            raise UsageError("a limit has at most 200 characters")
        facts = _amount(words)
        if _follows(words, "per"):
            facts["per"] = _next(words)
        if _follows(words, "as"):
            facts["name"] = _next(words)
        if _follows(words, "observe"):
            facts["mode"] = "observe"
        if words[:1] and words[0] in COUNTED:
            facts["counted"] = _next(words)
        if _follows(words, "else"):
            facts["otherwise"] = _next(words)
        if words:
            raise UsageError(f"{words[0]!r} is not expected here")
        return Limit(**facts)
    except UsageError as fault:
        msg = f"{notation[:80]!r} is not a limit: {fault}. Write {_EXAMPLES}"
        raise UsageError(msg) from None


def text(limit: Limit) -> str:
    """Write a limit the way `parse` reads it, in as few words as it takes."""
    window = duration_text(limit.window)
    match limit.algorithm:
        case "rate":
            parts = [f"{limit.count}/{window.removeprefix('1') if window[1:].isalpha() else window}"]
            parts += [f"burst {limit.burst}"] if limit.burst != limit.count else []
        case "log" | "window":
            parts = [f"at most {limit.count} in {window}"]
        case "calendar":
            named = {length: word for word, length in _CALENDAR.items()}
            parts = [f"{limit.count} per calendar {named.get(limit.window, window)}"]
        case _:
            parts = [f"{limit.count} at once"]
            parts += [f"for {window}"] if limit.window != _LEASE else []
    parts += [f"per {limit.per}"] if limit.per != "address" else []
    parts += [f"as {limit.name}"] if limit.name else []
    parts += ["observe"] if limit.mode == "observe" else []
    parts += [limit.counted] if limit.counted != "exact" else []
    parts += [f"else {limit.otherwise}"] if limit.otherwise != "records" else []
    return " ".join(parts)


def _amount(words: list[str]) -> dict[str, Any]:
    """Take the words that say how much, and leave the rest."""
    first = _next(words)
    if first == "at" and _follows(words, "most"):
        count = _count(_next(words))
        _expect(words, "in")
        return {
            "algorithm": "log" if count <= MOST_LOGGED else "window",
            "count": count,
            "window": duration(_next(words)),
        }
    number, slash, unit = first.partition("/")
    count = _count(number)
    if slash:
        facts: dict[str, Any] = {"count": count, "window": duration(unit if unit[:1].isdigit() else f"1{unit}")}
        if _follows(words, "burst"):
            facts["burst"] = _count(_next(words))
        return facts
    if _follows(words, "at"):
        _expect(words, "once")
        lease = duration(_next(words)) if _follows(words, "for") else _LEASE
        return {"algorithm": "concurrency", "count": count, "window": lease}
    _expect(words, "per")
    _expect(words, "calendar")
    word = _next(words)
    return {"algorithm": "calendar", "count": count, "window": _CALENDAR.get(word) or duration(word)}


def _next(words: list[str]) -> str:
    if not words:
        raise UsageError("it ends too early")
    return words.pop(0)


def _follows(words: list[str], word: str) -> bool:
    """Take the word if it comes next."""
    if words[:1] == [word]:
        del words[0]
        return True
    return False


def _expect(words: list[str], word: str) -> None:
    if not _follows(words, word):
        raise UsageError(f"{word!r} is missing")


def _count(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 10):
        raise UsageError(f"{word[:40]!r} is not a whole number")
    return int(word)
