"""Below which names anybody may register: the Public Suffix List, asked when a policy is compiled.

The list ages, so it is not ours to carry: the package `publicsuffixlist` brings it, and its updates reach
every deployment without a release of ours. Nothing here runs while requests are served.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

__all__ = ["is_public"]


class _List(NamedTuple):
    """The list, split by what its lines mean."""

    suffixes: frozenset[str]
    wild: frozenset[str]
    """Bases of `*.base` lines: every name directly below is a suffix."""

    excepted: frozenset[str]
    above: frozenset[str]
    """Names that some suffix stands below."""


def is_public(base: str) -> bool | None:
    """Tell whether strangers can get hosts below the name: it is a public suffix, or stands above one.

    Args:
        base: A host name in its ASCII form.

    Returns:
        None when the list is not installed and the name alone does not tell.
    """
    if "." not in base:
        return True
    known = _known()
    if known is None:
        return None
    name = _unicode(base)
    if name in known.suffixes or name in known.wild or name in known.above:
        return True
    return name.partition(".")[2] in known.wild and name not in known.excepted


@cache
def _known() -> _List | None:
    """Read the list once; some 10,000 lines."""
    try:
        from publicsuffixlist import PSLFILE
    except ImportError:
        return None
    with open(PSLFILE, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    rules = [line for line in lines if line and not line.startswith("//")]
    names = [rule.removeprefix("*.") for rule in rules if not rule.startswith("!")]
    return _List(
        suffixes=frozenset(rule for rule in rules if rule[0] not in "*!"),
        wild=frozenset(rule[2:] for rule in rules if rule.startswith("*.")),
        excepted=frozenset(rule[1:] for rule in rules if rule.startswith("!")),
        above=frozenset(parent for name in names for parent in _parents(name)),
    )


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(1, len(labels))]


def _unicode(base: str) -> str:
    """The list is written in Unicode, origins in ASCII."""
    try:
        return base.encode("ascii").decode("idna")
    except UnicodeError:
        return base
