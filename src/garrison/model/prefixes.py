"""Networks with something to say about each: those around an address answer, the narrowest first.

One look for each length of prefix that is there, however many networks there are: a list of a hundred thousand costs
what a list of ten does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from garrison.model.net import address_bytes, network_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Found", "Prefixes"]

T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """A network around an address, and what is said about it."""

    network: str
    value: T


class Prefixes(Generic[T]):
    """What is said about networks. One thread may add while others look."""

    __slots__ = ("_by_length",)

    def __init__(self, entries: Iterable[tuple[str, T]] = ()) -> None:
        """Read networks in CIDR notation, or single addresses; of two alike the later counts.

        Raises:
            UsageError: A text that is none, or an address with bits set beyond its prefix.
        """
        self._by_length: tuple[tuple[int, int, dict[int, Found[T]]], ...] = ()
        for network, value in entries:
            self.add(network, value)

    def add(self, network: str, value: T) -> None:
        """Say something about one more network.

        Raises:
            UsageError: It is none, or has bits set beyond its prefix.
        """
        width, mask, base = network_of(network)
        found = Found(network, value)
        for wide, long, bases in self._by_length:
            if (wide, long) == (width, mask):
                bases[base] = found
                return
        # Narrow ones first: the longer a prefix, the larger its mask.
        self._by_length = tuple(sorted((*self._by_length, (width, mask, {base: found})), key=_length, reverse=True))

    def around(self, address: str) -> Iterator[Found[T]]:
        """Give every network around a canonical address, the narrowest first."""
        raw = address_bytes(address)
        width, number = 8 * len(raw), int.from_bytes(raw, "big")
        for wide, mask, bases in self._by_length:
            if wide == width and (found := bases.get(number & mask)) is not None:
                yield found

    def find(self, address: str) -> Found[T] | None:
        """Give the narrowest network around a canonical address, or None."""
        return next(self.around(address), None)

    def __bool__(self) -> bool:
        return bool(self._by_length)


def _length(entry: tuple[int, int, object]) -> tuple[int, int]:
    return entry[:2]
