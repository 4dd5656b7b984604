"""Which ids exist, so that an invented one never reaches the store.

A Bloom filter says no for certain and yes with a small error, about 1 in 100; then the store is asked after
all. All bits of one id lie in one word, so a question costs one look. It grows in layers and only ever grows:
an id that existed may be asked for again.

Source: Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters" (2009), blocked filters.
"""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["FIRST", "IDS", "IdFilter"]

IDS: Final = 4
"""Ids for each word of 64 bits, on average: 2 MB for a million."""

FIRST: Final = 2**14
"""Words of the first layer: 128 KiB, for 65,536 ids. Each further layer is four times the last."""

_PAIRS: Final = tuple([1 << one | 1 << other for one in range(64) for other in range(64)])
"""Every two bits of a word; an id sets two pairs."""


class IdFilter:
    """A set of ids that forgets none and takes little room."""

    __slots__ = ("_count", "_layers")

    def __init__(self) -> None:
        """Begin empty."""
        self._layers = [_words(FIRST)]
        self._count = 0

    def add(self, id: str) -> None:
        """Add an id."""
        if id in self:
            return
        if self._count >= len(self._layers[0]) * IDS:
            self._layers.insert(0, _words(len(self._layers[0]) << 2))
            self._count = 0
        # The low half of the hash chooses the word, the high half its bits. Python keys the hash of text anew in
        # each process: nobody can invent ids that all seem to exist.
        at = hash(id)
        bits = _PAIRS[at >> 32 & 4095] | _PAIRS[at >> 44 & 4095]
        top = self._layers[0]
        top[at & len(top) - 1] |= bits
        self._count += 1

    def __contains__(self, id: str) -> bool:
        """Tell whether an id may exist; False is certain."""
        at = hash(id)
        bits = _PAIRS[at >> 32 & 4095] | _PAIRS[at >> 44 & 4095]
        # Spelled out: a generator would double the time, and every cold key comes by here.
        for layer in self._layers:
            if layer[at & len(layer) - 1] & bits == bits:
                break
        else:
            return False
        return True


def _words(count: int) -> array[int]:
    return array("Q", bytes(count * 8))
