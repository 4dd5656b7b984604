"""The heaviest of endlessly many, in a bounded place: who is refused most, without a counter for everybody.

The Space-Saving algorithm (Metwally, Agrawal, El Abbadi 2005): when there is no room, the lightest gives its place and
its weight to the newcomer. So nobody heavy is ever missed, a count is never too low, and by how much it may be too
high is known. A flood of invented addresses can push out light ones alone.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROOM", "Heavy", "Sketch"]

ROOM = 1_024
"""Names that one sketch holds. Whoever has more than a 1,024th of the weight is among them."""


class Heavy(NamedTuple):
    """One of the heaviest."""

    name: str
    weight: int
    """At least what it really has."""

    over: int
    """By how much the weight may be too high."""


class Sketch:
    """Weights of the heaviest names."""

    __slots__ = ("_held", "_room", "total")

    def __init__(self, room: int = ROOM) -> None:
        """Begin with nothing weighed.

        Args:
            room: Names held at most.
        """
        self._room = room
        self._held: dict[str, Heavy] = {}
        self.total = 0
        """Weight of all names, those included that are no longer held."""

    def add(self, name: str, weight: int = 1) -> None:
        """Add to the weight of a name."""
        self.total += weight
        held = self._held.get(name)
        if held is not None:
            self._held[name] = held._replace(weight=held.weight + weight)
        elif len(self._held) < self._room:
            self._held[name] = Heavy(name, weight, 0)
        else:
            lightest = min(self._held.values(), key=_weight)
            del self._held[lightest.name]
            self._held[name] = Heavy(name, lightest.weight + weight, lightest.weight)

    def top(self, count: int) -> list[Heavy]:
        """Give the heaviest, the heaviest first."""
        return sorted(self._held.values(), key=_order)[:count]


def _weight(heavy: Heavy) -> int:
    return heavy.weight


def _order(heavy: Heavy) -> tuple[int, str]:
    return -heavy.weight, heavy.name
