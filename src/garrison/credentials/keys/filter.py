"""Which ids exist, so that an invented one never reaches the store.

A Bloom filter says no for certain and yes with a small error, at most 1 in 100; then the store is asked after
all. It grows in layers, each twice the last, and only ever grows: an id that existed may be asked for again.

Source: Kirsch and Mitzenmacher, "Less hashing, same performance" (2006), for the double hashing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BITS", "FIRST", "PROBES", "IdFilter"]

BITS: Final = 10
"""Bits for each id, at least: 1.2 MB for a million."""

PROBES: Final = 7
"""Bits that one id sets."""

FIRST: Final = 2**16
"""Bits of the first layer."""


class IdFilter:
    """A set of ids that forgets none and takes little room."""

    __slots__ = ("_count", "_layers")

    def __init__(self) -> None:
        """Begin empty."""
        self._layers = [bytearray(FIRST >> 3)]
        self._count = 0

    def add(self, id: str) -> None:
        """Add an id."""
        if id in self:
            return
        if self._count * BITS >= len(self._layers[-1]) << 3:
            self._layers.append(bytearray(len(self._layers[-1]) << 1))
            self._count = 0
        top = self._layers[-1]
        for at in _places(id, len(top)):
            top[at >> 3] |= 1 << (at & 7)
        self._count += 1

    def __contains__(self, id: str) -> bool:
        """Tell whether an id may exist; False is certain."""
        return any(all(layer[at >> 3] >> (at & 7) & 1 for at in _places(id, len(layer))) for layer in self._layers)


def _places(id: str, size: int) -> Iterator[int]:
    # Python's hash of text is keyed anew in each process: nobody can invent ids that all seem to exist.
    first = hash(id)
    step = first >> 32 | 1
    mask = (size << 3) - 1
    for _ in range(PROBES):
        yield first & mask
        first += step
