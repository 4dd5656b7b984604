"""Names for requests: a random beginning for each process, then a count. Never twice the same, and cheap."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.model.ids import Randomness

__all__ = ["Correlate"]


class Correlate:
    """Gives each request a name. It says nothing about the caller and opens nothing."""

    __slots__ = ("_counted", "_prefix", "_process", "_randomness")

    def __init__(self, randomness: Randomness) -> None:
        """Begin with a random prefix of 64 bits."""
        self._randomness = randomness
        self._process = 0
        self._prefix = ""
        self._counted = count(1)

    def __call__(self) -> str:
        """Name the next request; a process that was forked begins with a prefix of its own."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._prefix = self._randomness(8).hex()
            self._counted = count(1)
        return f"{self._prefix}-{next(self._counted):x}"
