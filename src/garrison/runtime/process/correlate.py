"""Names for requests: a random beginning for each process, then a count. Never twice the same, and cheap."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.model.ids import Randomness

__all__ = ["Correlate"]


class Correlate:
    """Gives each request a name. It says nothing about the caller and opens nothing."""

    __slots__ = ("_asked", "_counted", "_prefix", "_randomness")

    def __init__(self, randomness: Randomness) -> None:
        """Begin with a random prefix of 64 bits."""
        self._randomness = randomness
        self.restart()

    def restart(self) -> None:
        """Begin with another prefix: in a process that was forked, the old one is the parent's."""
        self._prefix = self._randomness(8).hex()
        self._counted = count(1)
        self._asked = 0

    def __call__(self) -> str:
        """Name the next request."""
        return f"{self._prefix}-{next(self._counted)}"

    @property
    def named(self) -> int:
        """How many requests were named in this process; asking takes a number, which no request gets then."""
        number = next(self._counted) - self._asked
        self._asked += 1
        return number - 1
