"""What happens to open stores when the process forks.

A fork waits until no writer is inside SQLite, since the child would inherit its locks for ever. The child
forgets every connection without closing it: SQLite allows neither use nor close of a parent's connection in a
child. It opens its own at first use; what the parent has not written yet stays the parent's to write.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Forkable", "watch"]

_stores: WeakSet[Forkable] = WeakSet()
_kept: list[object] = []
"""Connections of a parent process: held, so that nothing ever closes them here."""


class Forkable(Protocol):
    """What has to be still while the process forks."""

    def hold(self) -> None:
        """Begin to be still."""

    def release(self) -> None:
        """Go on, in the parent."""

    def renew(self) -> object:
        """Begin anew, in the child; gives what has to be kept alive."""


def watch(store: Forkable) -> None:
    """Take part in every fork from now on, for as long as the store lives."""
    _stores.add(store)


def _before() -> None:
    for store in tuple(_stores):
        store.hold()


def _in_parent() -> None:
    for store in tuple(_stores):
        store.release()


def _in_child() -> None:
    _kept.extend([store.renew() for store in tuple(_stores)])


if hasattr(os, "register_at_fork"):  # Windows cannot fork.
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
