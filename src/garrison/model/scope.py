"""Named rights: which are covered by which.

A scope is text such as `tasks:read` (RFC 6749 section 3.3: printable ASCII without space, quote and
backslash). A granted `tasks:*` covers every scope that begins with `tasks:`. There is no scope that
covers everything, so that a right invented tomorrow is held by nobody today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["covers", "effective", "is_scope", "missing", "parse"]

_FORBIDDEN = frozenset('"\\')


def is_scope(text: str) -> bool:
    """Tell whether the text is one scope of RFC 6749 section 3.3; `*` stands only after a colon, at the end."""
    if not text or len(text) > 128 or any(not "!" <= letter <= "~" or letter in _FORBIDDEN for letter in text):
        return False
    star = text.find("*")
    return star < 0 or (star == len(text) - 1 and text.endswith(":*") and star > 1)


def parse(text: str) -> frozenset[str]:
    """Split a space-separated list (RFC 6749 section 3.3); whatever is no scope is left out, not guessed."""
    return frozenset(word for word in text.split(" ") if is_scope(word))


def covers(granted: frozenset[str], wanted: str) -> bool:
    """Tell whether what was granted includes the wanted scope, by name or by `prefix:*`."""
    if wanted in granted:
        return True
    prefix = wanted
    while (at := prefix.rfind(":")) > 0:
        prefix = prefix[:at]
        if f"{prefix}:*" in granted:
            return True
    return False


def missing(granted: frozenset[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """List the wanted scopes that were not granted, in order."""
    return tuple(scope for scope in wanted if not covers(granted, scope))


def effective(granted: frozenset[str], allowed: frozenset[str]) -> frozenset[str]:
    """Intersect what a credential was granted with what its owner may now, stars included.

    A key granted `tasks:*` whose owner keeps only `tasks:read` has exactly `tasks:read`.
    """
    return frozenset(
        [scope for scope in granted if covers(allowed, scope)] + [scope for scope in allowed if covers(granted, scope)]
    )
