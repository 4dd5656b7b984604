"""Which node of a cluster has which key: 16,384 slots, told by any node and corrected by redirections."""

from __future__ import annotations

from binascii import crc_hqx
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SLOTS", "Address", "Slots", "slot_of"]

SLOTS: Final = 16_384


class Address(NamedTuple):
    """Where a node listens."""

    host: str
    port: int


class Slots:
    """What is known of a cluster. It may be out of date: a node asked for another's slot says whose it is."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._nodes: list[Address | None] = [None] * SLOTS
        self.nodes: frozenset[Address] = frozenset()
        """Those that have any slots."""

    def node(self, slot: int) -> Address | None:
        """Tell who has a slot; None: nobody is known to."""
        return self._nodes[slot]

    def moved(self, slot: int, node: Address) -> None:
        """Note who has a slot now."""
        self._nodes[slot] = node
        self.nodes |= {node}

    def read(self, reply: Sequence[Any], asked: Address) -> None:
        """Take in what CLUSTER SLOTS says; replicas are passed over, since they may be behind.

        Args:
            reply: First and last slot, then the master, then its replicas; each with host and port.
            asked: Who said so; a node that does not know its own host is reached where the asked one is.
        """
        nodes: list[Address | None] = [None] * SLOTS
        for first, last, (host, port, *_), *_ in reply:
            node = Address(host.decode() if host else asked.host, port)
            nodes[first : last + 1] = [node] * (last + 1 - first)
        self._nodes = nodes
        self.nodes = frozenset(node for node in nodes if node is not None)


def slot_of(key: bytes) -> int:
    """Tell the slot of a key that has a tag between braces, as all of ours have."""
    return crc_hqx(key[key.index(b"{") + 1 : key.index(b"}")], 0) % SLOTS
