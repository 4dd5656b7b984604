"""Hot keys: what was read and believed, for as long as nobody ends it.

Two rules make a revocation final. What is read in while it is being ended does not get in: a fill begun
before the news about its key or its owner is refused. And what was dropped is marked dead, so that a request
which found it a moment ago does not pass with it either.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.credentials.keys.hot import HotKey
    from garrison.credentials.protocol import Presented

__all__ = ["KeyCache"]

_MOST_MARKS: Final = 10_000
"""Pieces of news remembered one by one; before that, every fill under way is refused."""


class KeyCache:
    """Hot keys by id, and their proved secrets by SHA-256 of the whole key.

    A digest, not the key: a copy of this memory holds nothing that could be presented. Only keys that exist
    get in, so that nobody can push them out with invented ones.
    """

    __slots__ = ("_floor", "_heard", "_keys", "_lock", "_marks", "_most", "_owned", "proved")

    def __init__(self, most: int) -> None:
        """Begin empty; holds at most `most` keys."""
        self.proved: dict[bytes, Presented] = {}
        """SHA-256 of the whole key -> what `find` gives for it."""
        self._keys: OrderedDict[str, HotKey] = OrderedDict()
        self._owned: dict[str, set[str]] = {}
        self._most = max(1, most)
        self._marks: dict[str, int] = {}
        self._heard = 0
        self._floor = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._keys)

    def begin(self) -> int:
        """Note, before a read, how much was heard; `put` wants it back."""
        return self._heard

    def get(self, id: str) -> HotKey | None:
        """Give the key if it is hot."""
        key = self._keys.get(id)
        if key is not None:
            key.touched = True
        return key

    def put(self, key: HotKey, begun: int) -> bool:
        """Keep a key that was read.

        Args:
            key: What the store gave.
            begun: What `begin` gave before the read.

        Returns:
            False when news about the key or its owner came meanwhile: then what was read may be from before.
        """
        record = key.record
        with self._lock:
            marks = self._marks
            if begun < self._floor or max(marks.get(record.id, 0), marks.get(record.owner, 0)) > begun:
                return False
            present = self._keys.get(record.id)
            if present is not None:
                if present.record.version > record.version:
                    return False
                self._remove(present)
            while len(self._keys) >= self._most:
                self._sweep()
            self._keys[record.id] = key
            self._owned.setdefault(record.owner, set()).add(record.id)
            return True

    def prove(self, digest: bytes, presented: Presented, key: HotKey) -> None:
        """Remember that a secret of a hot key is true; nothing happens when the key went meanwhile."""
        with self._lock:
            if self._keys.get(key.record.id) is key and digest not in self.proved:
                key.digests.append(digest)
                self.proved[digest] = presented

    def drop(self, id: str, at: int = 0) -> None:
        """Forget a key: news about it came. A fill that is under way is refused."""
        with self._lock:
            self._mark(id)
            if (key := self._keys.get(id)) is not None:
                self._remove(key)

    def drop_owner(self, owner: str, at: int = 0) -> None:
        """Forget every key of an owner: what the owner may has changed."""
        with self._lock:
            self._mark(owner)
            for id in tuple(self._owned.get(owner, ())):
                self._remove(self._keys[id])

    def clear(self) -> None:
        """Forget everything: it is no longer certain that all news was heard."""
        with self._lock:
            self._heard += 1
            self._floor = self._heard
            for key in tuple(self._keys.values()):
                self._remove(key)

    def _mark(self, name: str) -> None:
        self._heard += 1
        if len(self._marks) >= _MOST_MARKS:
            self._marks.clear()
            self._floor = self._heard
        self._marks[name] = self._heard

    def _sweep(self) -> None:
        """Take the oldest away; one that was used since the last time goes to the end of the line instead."""
        id, key = next(iter(self._keys.items()))
        if self._was_used(key):
            self._keys.move_to_end(id)
        else:
            self._remove(key)

    def _was_used(self, key: HotKey) -> bool:
        """Tell whether a key was asked for or used since the last time, and begin anew."""
        used, key.touched = key.touched, False
        for digest in key.digests:
            tally = self.proved[digest].extra.principal.tally
            used, tally.used = used or tally.used, False
        return used

    def _remove(self, key: HotKey) -> None:
        record = key.record
        del self._keys[record.id]
        for digest in key.digests:
            self.proved.pop(digest).extra.live = False
        key.digests.clear()
        owned = self._owned[record.owner]
        owned.discard(record.id)
        if not owned:
            del self._owned[record.owner]
