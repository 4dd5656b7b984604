"""Read many records so that one that cannot be read hides no other.

`find` stops at a record that does not fit its struct: somebody wrote to the store behind our back, or another
release did. Whoever lists, or learns what exists, goes on behind it and names it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.stores.protocols import Kind, Records

__all__ = ["Page", "page"]


class Page(NamedTuple):
    """Some records of a kind, in order."""

    records: Sequence[Any]
    unreadable: str
    """Key of a record behind them that cannot be read; empty: all could."""

    last: str
    """Where to go on; empty: there is nothing more."""


async def page(records: Records, kind: Kind, index: str, value: str, after: str, limit: int) -> Page:
    """List records like `find`, up to and with the first that cannot be read.

    Raises:
        StoreError: The store could not answer.
    """
    try:
        found = await records.find(kind, index, value, after, limit)
        unreadable = last = ""
    except UnreadableError as error:
        found, unreadable, last = error.before, error.key, error.key
    if found and not last:
        last = attrgetter(kind.key)(found[-1])
    # A record that was put under another's key must not lead a walk in a circle.
    return Page(found, unreadable, last if last > after else "")
