"""The audit journal in memory: sealed like any other, bounded, gone with the process."""

from __future__ import annotations

from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from garrison.errors import StoreError
from garrison.stores.kinds import at_most
from garrison.stores.protocols import Sealed
from garrison.stores.redact import redact
from garrison.stores.sealing import WRITER, Links, body_of, event_of, follow, head_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.model.event import Event
    from garrison.stores.protocols import Head, Query

__all__ = ["MOST_EVENTS", "MemoryJournal", "matches"]

MOST_EVENTS = 100_000
"""Events kept; the oldest go first, about 100 MB at the worst."""


def matches(query: Query, event: Event) -> bool:
    """Tell whether a query asks for an event."""
    return (
        query.code in {"", event.code}
        and query.actor in {"", event.actor}
        and query.subject in {"", event.subject}
        and event.at >= query.since
        and (not query.until or event.at < query.until)
    )


class MemoryJournal:
    """The journal part of `MemoryRecords`."""

    def __init__(self, chain_key: bytes) -> None:
        """Begin empty.

        Raises:
            UsageError: The key is short.
        """
        follow(chain_key, WRITER, Links(), [b""])  # says at once when the key is too short
        self._key = chain_key
        self._events: list[Sealed] = []
        self._end = self._base = Links()
        self._sealing = Lock()
        self._closed = False

    def check_open(self) -> None:
        """Go on only while the store is open.

        Raises:
            StoreError: It was closed.
        """
        if self._closed:
            msg = "the store is closed"
            raise StoreError(msg)

    def bodies(self, events: Sequence[Event]) -> list[bytes]:
        """Write events as they will be sealed, without secrets."""
        return [body_of(redact(event)) for event in events]

    def seal(self, bodies: Sequence[bytes]) -> None:
        """Append events to the chain."""
        if not bodies:
            return
        with self._sealing:
            for link, body in zip(follow(self._key, WRITER, self._end, bodies), bodies, strict=True):
                self._events.append(
                    Sealed(sequence=link.sequence, writer=WRITER, event=event_of(body), mac=link.mac.hex(), body=body)
                )
                self._end = link
            if len(self._events) > MOST_EVENTS + MOST_EVENTS // 8:
                self._forget(len(self._events) - MOST_EVENTS)

    def _forget(self, count: int) -> None:
        last = self._events[count - 1]
        self._base = Links(last.sequence, bytes.fromhex(last.mac))
        del self._events[:count]

    async def append(self, events: Sequence[Event]) -> None:
        """Append events at once; in memory there is nothing to wait for."""
        self.check_open()
        self.seal(self.bodies(events))

    async def flush(self) -> None:
        """Wait for nothing: nothing is ever pending."""
        self.check_open()

    async def read(self, query: Query, after: tuple[str, int] = ("", 0)) -> Sequence[Sealed]:
        """Read events in chain order, after a (writer, sequence); backwards for `newest`."""
        self.check_open()
        with self._sealing:
            if query.newest:
                end = self._before(after) if after != ("", 0) else len(self._events)
                events = self._events[:end][::-1]
            else:
                events = self._events[self._before((after[0], after[1] + 1)) :]
        found = (sealed for sealed in events if matches(query, sealed.event))
        return tuple(islice(found, at_most(query.limit)))

    def _before(self, place: tuple[str, int]) -> int:
        """Count the events that stand before a (writer, sequence)."""
        writer, sequence = place
        if writer != WRITER:
            return 0 if writer < WRITER else len(self._events)
        return min(max(sequence - 1 - self._base.sequence, 0), len(self._events))

    async def head(self, writer: str) -> Head | None:
        """Read where one chain ends."""
        self.check_open()
        with self._sealing:
            end, base = self._end, self._base
        return head_of(self._key, WRITER, end, base) if end.sequence and writer == WRITER else None

    async def heads(self) -> Sequence[Head]:
        """Read where every chain ends: there is one at most."""
        head = await self.head(WRITER)
        return () if head is None else (head,)

    async def trim(self, before: int, limit: int = 1_000) -> int:
        """Remove up to `limit` events older than `before` from the beginning; the newest always stays."""
        self.check_open()
        with self._sealing:
            count = 0
            for sealed in self._events[: max(0, min(limit, len(self._events) - 1))]:
                if sealed.event.at >= before:
                    break
                count += 1
            if count:
                self._forget(count)
        return count
