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
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """Give what was kept under a key."""
        found = self._young.get(key)
        return found if found is not None else self._old.get(key)

    def keep(self, key: K, value: V) -> None:
        """Keep a value, and forget the oldest when there is no room."""
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young
        self._young[key] = value

    def pop(self, key: K) -> V | None:
        """Forget a key; gives what was kept."""
        old = self._old.pop(key, None)
        return self._young.pop(key, old)

    def known(self) -> list[K]:
        """Give every key."""
        return [*self._old, *self._young]
