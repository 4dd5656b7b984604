"""A bounded memory of what happened lately: two generations, of which the older is let go when the younger is full."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Recent"]

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A dictionary that forgets the oldest half when it is full; without a timer and without a scan."""

    def __init__(self, capacity: int) -> None:
        """Begin empty.

        Args:
            capacity: Most entries; an attacker who brings more keys than that takes room from others, and no more.
        """
        self._half = capacity // 2
        self.young: dict[K, V] = {}
        """What was kept since the last exchange; the other half is in `old`."""

        self.old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self.old)

    def get(self, key: K) -> V | None:
        """Give what was kept under a key."""
        found = self.young.get(key)
        return found if found is not None else self.old.get(key)

    def keep(self, key: K, value: V) -> None:
        """Keep a value, and forget the oldest when there is no room."""
        if len(self.young) >= self._half:
            self.young, self.old = {}, self.young
        self.young[key] = value

    def pop(self, key: K) -> V | None:
        """Forget a key; gives what was kept."""
        old = self.old.pop(key, None)
        return self.young.pop(key, old)

    def known(self) -> list[K]:
        """Give every key."""
        return [*self.old, *self.young]
