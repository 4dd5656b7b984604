"""Proves that the journal is whole: nothing changed, removed, put in, put elsewhere, or cut off at the end.

The links of a chain show everything but a missing tail. For that, the store keeps the head of each chain apart,
sealed; and for whoever can roll back the whole store there are anchors: heads that were copied out of
its reach earlier (`garrison audit anchor`).

Pure but for `verify` itself, which reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from garrison.crypto.chain import GENESIS
from garrison.stores.protocols import Head, Query, Sealed
from garrison.stores.sealing import event_of, genuine, linked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.stores.protocols import Journal

__all__ = ["MOST_FLAWS", "Flaw", "Proof", "Report", "anchor", "anchors", "verify"]

MOST_FLAWS = 1_000
"""Flaws that are listed; more are only counted."""

_PAGE = 1_000
_ATTEMPTS = 3
"""Readings of a journal whose chains begin elsewhere afterwards, since retention ran meanwhile."""


class Flaw(NamedTuple):
    """A place where the journal is not as it was written."""

    writer: str
    """Which chain."""

    sequence: int
    """At which event; 0: the chain as a whole."""

    kind: str
    """`altered`, `missing`, `order`, `cut`, `head` or `anchor`."""

    text: str


class Report(NamedTuple):
    """What verification found."""

    events: int
    """Events that were read."""

    heads: tuple[Head, ...]
    """Where the chains end."""

    flaws: tuple[Flaw, ...]
    """In the order of the journal; at most `MOST_FLAWS`."""

    total: int
    """How many there are."""

    @property
    def whole(self) -> bool:
        """Tell whether there is no flaw at all."""
        return not self.total


class _Chain:
    """How far one chain has been followed."""

    __slots__ = ("anchors", "head", "last", "mac")

    def __init__(self, head: Head | None, last: int, mac: bytes | None, anchors: dict[int, str]) -> None:
        self.head = head
        self.last = last
        self.mac = mac
        """Link of the last event; None when what came before is unknown."""
        self.anchors = anchors
        """Links that must be there, by number."""


class Proof:
    """Follows the events of a journal in chain order and notes every flaw."""

    def __init__(self, keys: Sequence[bytes], heads: Iterable[Head], anchors: Iterable[Head] = ()) -> None:
        """Begin at the bases that the heads name.

        Args:
            keys: Keys of the chain, the current one first.
            heads: Where the chains end, as the store keeps it.
            anchors: Heads that were copied elsewhere earlier.
        """
        self._keys = list(keys)
        self._chains: dict[str, _Chain] = {}
        self._flaws: list[Flaw] = []
        self._count = 0
        self._events = 0
        self._heads = tuple(heads)
        for head in self._heads:
            self._begin(head)
        for head in anchors:
            self._expect(head)

    def feed(self, sealed: Sealed) -> None:
        """Take the next event."""
        chain = self._chains.get(sealed.writer)
        if chain is None:
            self._flaw(sealed.writer, 0, "head", "the chain has no head")
            chain = self._chains[sealed.writer] = _Chain(None, 0, GENESIS, {})
        if chain.head is not None and sealed.sequence > chain.head.sequence:
            return  # written after the head was read
        self._events += 1
        if sealed.sequence <= chain.last:
            self._flaw(sealed.writer, sealed.sequence, "order", f"comes after event {chain.last}")
            return
        if sealed.sequence > chain.last + 1:
            self._flaw(sealed.writer, chain.last + 1, "missing", f"events up to {sealed.sequence - 1} are missing")
            chain.mac = None
        if not self._sound(chain, sealed):
            self._flaw(sealed.writer, sealed.sequence, "altered", "is not what was written here")
        wanted = chain.anchors.pop(sealed.sequence, sealed.mac)
        if wanted != sealed.mac:
            self._flaw(sealed.writer, sealed.sequence, "anchor", "another event was here when the anchor was taken")
        chain.last = sealed.sequence
        chain.mac = _bytes(sealed.mac)

    def finish(self) -> Report:
        """Compare the ends with the heads and anchors, and report."""
        for writer, chain in self._chains.items():
            self._finish(writer, chain)
        return Report(self._events, self._heads, tuple(self._flaws), self._count)

    def _finish(self, writer: str, chain: _Chain) -> None:
        head = chain.head
        if head is not None:
            if chain.last < head.sequence:
                text = f"events {chain.last + 1} to {head.sequence} are cut off"
                self._flaw(writer, chain.last + 1, "cut", text)
            elif chain.mac is not None and chain.mac.hex() != head.mac:
                self._flaw(writer, head.sequence, "altered", "is not the event the head was sealed over")
        for sequence in chain.anchors:
            self._flaw(writer, sequence, "anchor", "the event an anchor was taken at is gone")

    def _begin(self, head: Head) -> None:
        if genuine(self._keys, head) is None:
            self._flaw(head.writer, 0, "head", "the head was not sealed with a key of this journal")
            self._chains[head.writer] = _Chain(None, 0, GENESIS, {})
        else:
            self._chains[head.writer] = _Chain(head, head.base, _bytes(head.base_mac), {})

    def _expect(self, anchor: Head) -> None:
        if genuine(self._keys, anchor) is None:
            self._flaw(anchor.writer, 0, "anchor", "the anchor was not sealed with a key of this journal")
            return
        chain = self._chains.get(anchor.writer)
        if chain is None:
            self._flaw(anchor.writer, 0, "anchor", "the chain an anchor was taken of is gone")
        elif chain.head is None or anchor.sequence > chain.head.base:
            chain.anchors[anchor.sequence] = anchor.mac

    def _sound(self, chain: _Chain, sealed: Sealed) -> bool:
        try:
            if event_of(sealed.body) != sealed.event:
                return False
        except (msgspec.MsgspecError, ValueError):
            return False
        # After a gap there is nothing to check the link against; the gap itself is already a flaw.
        return chain.mac is None or self._linked(chain.mac, sealed)

    def _linked(self, previous: bytes, sealed: Sealed) -> bool:
        for number, key in enumerate(self._keys):
            if linked(key, previous, sealed.sequence, sealed.writer, sealed.body).hex() == sealed.mac:
                # The next event was most likely sealed with the same key.
                self._keys.insert(0, self._keys.pop(number))
                return True
        return False

    def _flaw(self, writer: str, sequence: int, kind: str, text: str) -> None:
        self._count += 1
        if len(self._flaws) < MOST_FLAWS:
            self._flaws.append(Flaw(writer, sequence, kind, text))


async def verify(journal: Journal, keys: Sequence[bytes], anchors: Iterable[Head] = ()) -> Report:
    """Read a whole journal and prove it.

    What is appended meanwhile is left for the next time.

    Args:
        journal: The journal.
        keys: Keys of the chain, the current one first.
        anchors: Heads that were copied elsewhere earlier.

    Raises:
        StoreError: It cannot be read.
    """
    anchors = tuple(anchors)
    for _ in range(_ATTEMPTS):
        before = await journal.heads()
        report = await _verify(journal, Proof(keys, before, anchors))
        after = await journal.heads()
        if _begins(before) == _begins(after):
            break
    return report


async def _verify(journal: Journal, proof: Proof) -> Report:
    place = ("", 0)
    while page := await journal.read(Query(limit=_PAGE), place):
        for sealed in page:
            proof.feed(sealed)
        place = (page[-1].writer, page[-1].sequence)
    return proof.finish()


async def anchor(journal: Journal) -> bytes:
    """Write where the chains end now, one JSON line each, to be kept out of the store's reach.

    Raises:
        StoreError: It cannot be read.
    """
    return b"".join([msgspec.json.encode(head) + b"\n" for head in await journal.heads()])


def anchors(text: bytes) -> tuple[Head, ...]:
    """Read what `anchor` wrote.

    Raises:
        msgspec.MsgspecError: It is something else.
    """
    return tuple([msgspec.json.decode(line, type=Head) for line in text.splitlines() if line.strip()])


def _begins(heads: Iterable[Head]) -> dict[str, int]:
    return {head.writer: head.base for head in heads}


def _bytes(mac: str) -> bytes | None:
    try:
        link = bytes.fromhex(mac)
    except ValueError:
        return None
    return link if len(link) == len(GENESIS) else None
