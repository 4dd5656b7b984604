"""Records of one kind in memory: a dictionary, its indexes, and what expires next.

Not safe for threads by itself; `MemoryRecords` holds its lock around every call but `get`.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from typing import TYPE_CHECKING

from garrison.stores.kinds import Shape

if TYPE_CHECKING:
    from garrison.stores.protocols import Kind, Record

__all__ = ["Table"]


class _Keys:
    """A set of keys that is put in order when somebody asks, not at every insert."""

    __slots__ = ("_members", "_order")

    def __init__(self) -> None:
        """Begin empty."""
        self._members: set[str] = set()
        self._order: list[str] | None = []

    def add(self, key: str) -> None:
        if key not in self._members:
            self._members.add(key)
            self._order = None

    def discard(self, key: str) -> None:
        if key in self._members:
            self._members.discard(key)
            self._order = None

    def after(self, key: str) -> list[str]:
        if self._order is None:
            self._order = sorted(self._members)
        return self._order[bisect_right(self._order, key) :] if key else self._order

    def __len__(self) -> int:
        return len(self._members)


class Table:
    """All records of one kind."""

    __slots__ = ("_all", "_deadlines", "_indexes", "records", "shape")

    def __init__(self, kind: Kind) -> None:
        """Begin empty.

        Raises:
            UsageError: The kind is malformed.
        """
        self.shape = Shape(kind)
        self.records: dict[str, Record] = {}
        self._all = _Keys()
        self._indexes: dict[str, dict[str, _Keys]] = {name: {} for name in self.shape.found}
        self._deadlines: list[tuple[int, str]] = []

    def live(self, key: str, now: int) -> Record | None:
        """Give the record, unless it is absent or expired."""
        record = self.records.get(key)
        return record if record is not None and self.shape.live(record, now) else None

    def set(self, key: str, record: Record | None) -> Record | None:
        """Store a record under its key, or remove what is there (None).

        Returns:
            What was there before, so that the change can be undone.
        """
        before = self.records.get(key)
        if before is not None:
            self._leave(key, before)
        if record is None:
            self.records.pop(key, None)
            self._all.discard(key)
        else:
            self.records[key] = record
            self._all.add(key)
            self._enter(key, record)
        return before

    def standing(self, index: str, value: str, after: str = "") -> list[str]:
        """List the keys under an indexed value in order, expired ones included."""
        if not index:
            return self._all.after(after)
        keys = self._indexes[index].get(value) if value else None
        return keys.after(after) if keys is not None else []

    def expired(self, now: int, limit: int) -> list[str]:
        """Name up to `limit` expired records and forget their deadlines; the caller removes them."""
        found: list[str] = []
        while self._deadlines and self._deadlines[0][0] <= now and len(found) < limit:
            _, key = heapq.heappop(self._deadlines)
            record = self.records.get(key)
            # A record that was put again since has a later deadline of its own in the heap.
            if record is not None and not self.shape.live(record, now):
                found.append(key)
        return found

    def _enter(self, key: str, record: Record) -> None:
        for name, keys in self._indexes.items():
            value = getattr(record, name)
            if value:
                keys.setdefault(value, _Keys()).add(key)
        if deadline := self.shape.deadline(record):
            heapq.heappush(self._deadlines, (deadline, key))

    def _leave(self, key: str, record: Record) -> None:
        for name, keys in self._indexes.items():
            value = getattr(record, name)
            if value:
                keys[value].discard(key)
                if not keys[value]:
                    del keys[value]
