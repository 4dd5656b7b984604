"""Finish the head of an answer in one pass: what is ours replaces, what is the application's stays, `Vary` merges.

CORS, security headers and limits each used to cost a wrapper and a walk over the same lines; here they are lines
made in advance and one walk. The lines that come in are never changed: applications share them between answers.

Works on bytes (ASGI) and on text (WSGI) alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, AnyStr, Final, Generic, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DISCLOSING", "OWNED", "Ending", "ending", "finish", "text_ending"]

_KEEP: Final = 0
_DROP: Final = 1
_YIELD: Final = 2
_VARY: Final = 3

OWNED = (
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
)
"""Fields that the policy alone sets: a handler's own `Access-Control-Allow-Origin: *` would undo it."""

DISCLOSING = (
    "server",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-powered-by",
    "x-runtime",
    "x-version",
)
"""Fields that tell an attacker which flaws to try."""

_MOST_SPELLINGS = 1024


class _Fates(dict[AnyStr, int]):
    """What becomes of a field, by its name as spelled; a new spelling is judged once."""

    def __missing__(self, name: AnyStr) -> int:
        lower = name.lower()
        fate = self[lower] if lower != name else _KEEP
        if len(self) < _MOST_SPELLINGS:
            self[name] = fate
        return fate


class Ending(NamedTuple, Generic[AnyStr]):
    """What is done to every head; made by `ending`."""

    fates: dict[AnyStr, int]
    vary: AnyStr
    """The name of that field, in the right kind of string."""

    comma: AnyStr
    star: AnyStr


def ending(yielding: Iterable[str] = (), dropped: Iterable[str] = (), *, cors: bool = True) -> Ending[bytes]:
    """Decide in advance what becomes of each field an application may send.

    Args:
        yielding: Fields of which we have a default, and the application's value wins.
        dropped: Fields that are removed, and replaced if we have a value.
        cors: Whether the CORS fields are ours.
    """
    fates: dict[bytes, int] = _Fates()
    fates.update({name.encode("ascii"): _YIELD for name in yielding})
    fates.update({name.encode("ascii"): _DROP for name in (*dropped, *(OWNED if cors else ()))})
    fates[b"vary"] = _VARY
    return Ending(fates, b"vary", b",", b"*")


def text_ending(of: Ending[bytes]) -> Ending[str]:
    """Give the same ending for lines of text."""
    fates: dict[str, int] = _Fates()
    fates.update({name.decode("ascii"): fate for name, fate in of.fates.items()})
    return Ending(fates, "vary", ",", "*")


def finish(
    lines: Iterable[tuple[AnyStr, AnyStr]], how: Ending[AnyStr], ours: Sequence[tuple[AnyStr, AnyStr]]
) -> list[tuple[AnyStr, AnyStr]]:
    """Finish one head.

    Args:
        lines: The application's; not changed.
        how: What becomes of them.
        ours: Security headers, the grant, the limits. Those that `how` lets yield give way to the application's;
            a `vary` among them is merged with the application's.

    Returns:
        A new list: the application's lines in their order, then ours.
    """
    given: list[tuple[AnyStr, AnyStr]] = list(lines)
    fates = how.fates
    for name, _ in given:
        if fates[name]:
            return _merge(given, how, ours)
    # Nearly every answer: nothing of ours is there yet.
    given += ours
    return given


def _merge(
    lines: Iterable[tuple[AnyStr, AnyStr]], how: Ending[AnyStr], ours: Sequence[tuple[AnyStr, AnyStr]]
) -> list[tuple[AnyStr, AnyStr]]:
    """Finish a head that has something of ours already."""
    kept: list[tuple[AnyStr, AnyStr]] = []
    varies: list[AnyStr] = []
    taken: set[AnyStr] = set()
    for name, value in lines:
        fate = how.fates[name]
        if fate == _VARY:
            varies.append(value)
        elif fate != _DROP:
            kept.append((name, value))
            if fate == _YIELD:
                taken.add(name.lower())
    for line in ours:
        if line[0] == how.vary:
            varies = [_merged(how.comma.join(varies), line[1], how.comma, how.star)]
        elif line[0] not in taken:
            kept.append(line)
    if varies:
        kept.append((how.vary, how.comma.join(varies)))
    return kept


@lru_cache(maxsize=256)
def _merged(said: AnyStr, wanted: AnyStr, comma: AnyStr, star: AnyStr) -> AnyStr:
    """Add to a `Vary` what it lacks; `*` covers everything (RFC 9110 section 12.5.5)."""
    members = {member.strip().lower() for member in said.split(comma)}
    if star in members:
        return said
    for member in wanted.split(comma):
        if member.strip().lower() not in members:
            said = comma.join((said, member)) if said else member
    return said
