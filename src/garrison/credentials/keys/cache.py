"""Hot keys: what was read and believed twice, for as long as nobody ends it.

Two rules make a revocation final. What is read in while it is being ended does not get in: a fill begun
before the news about its key or its owner is refused. And what was dropped is marked dead, so that a request
which found it a moment ago does not pass with it either.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from garrison.credentials.keys.hot import slim
from garrison.credentials.protocol import Presented

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.credentials.key_record import KeyRecord
    from garrison.credentials.keys.hot import HotKey, Proved

__all__ = ["KeyCache"]

_MOST_MARKS: Final = 10_000
"""Pieces of news remembered one by one; before that, every fill under way is refused."""

_LOOKS: Final = 8
"""Keys looked at to make room for one; if all of them were used lately, the last of these goes."""

_MOST_ONCE: Final = 32_768
"""Keys of which it is remembered that they were used once; then that begins anew."""


class KeyCache:
    """Hot keys by id, and their proved secrets by SHA-256 of the whole key.

    A digest, not the key: a copy of this memory holds nothing that could be presented. Only keys that exist
    get in, so that nobody can push them out with invented ones; and only at their second use, so that a
    million keys used once a day do not push out those that are used every second.
    """

    __slots__ = (
        "__weakref__",
        "_floor",
        "_heard",
        "_keys",
        "_lock",
        "_marks",
        "_most",
        "_once",
        "_owned",
        "_recent",
        "proved",
    )

    def __init__(self, most: int, recent: Callable[[str], bool]) -> None:
        """Begin empty.

        Args:
            most: Keys held, at most.
            recent: Tells whether a secret was used lately; its key is then the last to make room.
        """
        self.proved: dict[bytes, Presented] = {}
        """SHA-256 of the whole key -> what `find` gives for it."""
        self._keys: OrderedDict[str, HotKey] = OrderedDict()
        self._owned: dict[str, str | set[str]] = {}
        self._once: set[str] = set()
        self._recent = recent
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
        return self._keys.get(id)

    def put(self, key: HotKey, begun: int) -> bool:
        """Keep a key that was read, if it was read once before.

        Args:
            key: What the store gave.
            begun: What `begin` gave before the read.

        Returns:
            False when news about the key or its owner came meanwhile: then what was read may be from before.
        """
        record = key.record
        if self._overtaken(record, begun):
            return False
        if record.id in self._once:
            return self._put(key, begun)
        if len(self._once) >= _MOST_ONCE:
            self._once = set()
        self._once.add(record.id)
        return True

    def _put(self, key: HotKey, begun: int) -> bool:
        record = key.record
        with self._lock:
            # Asked again under the lock, which news takes as well.
            if self._overtaken(record, begun):
                return False
            present = self._keys.get(record.id)
            if present is not None:
                if present.version > key.version:
                    return False
                self._remove(present)
            while len(self._keys) >= self._most:
                self._sweep()
            slim(key)
            self._keys[record.id] = key
            self._own(record.owner, record.id)
            return True

    def _own(self, owner: str, id: str) -> None:
        """Note whose a key is; most owners have one, so one alone is kept without a set around it."""
        present = self._owned.get(owner)
        if isinstance(present, set):
            present.add(id)
        else:
            self._owned[owner] = id if present is None else {present, id}

    def _disown(self, owner: str, id: str) -> None:
        owned = self._owned[owner]
        if isinstance(owned, set):
            owned.discard(id)
        if owned == id or not owned:
            del self._owned[owner]

    def _overtaken(self, record: KeyRecord, begun: int) -> bool:
        marks = self._marks
        return begun < self._floor or marks.get(record.id, 0) > begun or marks.get(record.owner, 0) > begun

    def prove(self, digest: bytes, id: str, proof: Proved, key: HotKey) -> None:
        """Remember that a secret of a hot key is true; nothing happens when the key is not (any more) hot.

        Args:
            digest: SHA-256 of the whole key.
            id: Public id of the secret.
            proof: What is known of it.
            key: Its key.
        """
        with self._lock:
            if self._keys.get(key.record.id) is key and digest not in self.proved:
                key.digests.append(digest)
                self.proved[digest] = Presented("key", id, "", proof)

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
            owned = self._owned.get(owner, ())
            for id in (owned,) if isinstance(owned, str) else tuple(owned):
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
        """Take the oldest away; those that were used lately go to the end of the line instead, a few at a time."""
        for _ in range(_LOOKS):
            id, key = next(iter(self._keys.items()))
            if not any(self._recent(secret.id) for secret in key.record.secrets):
                break
            self._keys.move_to_end(id)
        self._remove(key)

    def _remove(self, key: HotKey) -> None:
        record = key.record
        del self._keys[record.id]
        for digest in key.digests:
            self.proved.pop(digest).extra.live = False
        key.digests.clear()
        self._disown(record.owner, record.id)
