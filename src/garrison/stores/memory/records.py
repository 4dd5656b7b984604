"""Records and journal in memory: every promise of the protocols but to outlive the process.

One lock orders all commits. Whatever has expired is taken away a little at every commit, so that memory is
bounded by what is live, with neither timer nor scan.
"""

from __future__ import annotations

from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from garrison.errors import UsageError
from garrison.stores.kinds import UnmetError, at_most
from garrison.stores.memory.journal import MemoryJournal
from garrison.stores.memory.steps import prepare
from garrison.stores.memory.tables import Table
from garrison.stores.protocols import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.model.clock import Clock
    from garrison.model.event import Event
    from garrison.stores.memory.steps import Act, Undo
    from garrison.stores.protocols import Kind, Record, Step

__all__ = ["SWEPT_AT_COMMIT", "MemoryRecords"]

SWEPT_AT_COMMIT = 4
"""Expired records of each kind in it that a commit takes away: more than it can bring, so that they cannot pile up."""


class MemoryRecords(MemoryJournal):
    """A store of one process; both of its faces are itself, since nothing ever waits."""

    def __init__(self, clock: Clock, chain_key: bytes) -> None:
        """Begin empty.

        Args:
            clock: Wall time decides what has expired.
            chain_key: Key of the journal's chain, at least 32 bytes.

        Raises:
            UsageError: The key is short.
        """
        super().__init__(chain_key)
        self._clock = clock
        self._lock = Lock()
        self._tables: dict[str, Table] = {}

    def awaited(self) -> MemoryRecords:
        """Give the face for a loop: the store itself."""
        return self

    def driven(self) -> MemoryRecords:
        """Give the face for threads: the store itself."""
        return self

    def close(self) -> None:
        """End the store; what it held is gone."""
        with self._lock:
            self._closed = True
            self._tables.clear()
            self._events.clear()

    async def get(self, kind: Kind, key: str) -> Any:
        """Read one record, or None when it is absent or expired."""
        now = self._clock.wall()
        # The lock also keeps a reader from seeing half of a commit that is still to fail.
        with self._lock:
            return self._table(kind).live(key, now)

    async def find(self, kind: Kind, index: str, value: str, after: str = "", limit: int = 100) -> Sequence[Any]:
        """List live records under an indexed value, ordered by key, beginning after a key."""
        now = self._clock.wall()
        with self._lock:
            table = self._table(kind)
            table.shape.findable(index)
            records = (table.live(key, now) for key in table.standing(index, value, after))
            return tuple(islice((record for record in records if record is not None), at_most(limit)))

    async def commit(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> Outcome:
        """Apply every step and append every event, or nothing."""
        bodies = self.bodies(events)
        now = self._clock.wall()
        undo: Undo = []
        outcome = None
        with self._lock:
            self.check_open()
            acts = [prepare(step, self._table) for step in steps]
            try:
                outcome = _apply(acts, now, undo)
            finally:
                if outcome is None or not outcome.done:
                    for table, key, before in reversed(undo):
                        table.set(key, before)
            if outcome.done:
                self.seal(bodies)
                for table in {id(table): table for table, _, _ in undo}.values():
                    _clean(table, now, SWEPT_AT_COMMIT)
        return outcome

    async def sweep(self, limit: int = 1_000) -> int:
        """Remove up to `limit` expired records for good; tells how many."""
        now, removed = self._clock.wall(), 0
        with self._lock:
            self.check_open()
            for table in self._tables.values():
                removed += _clean(table, now, limit - removed)
        return removed

    def _table(self, kind: Kind) -> Table:
        self.check_open()
        table = self._tables.get(kind.name)
        if table is None:
            table = self._tables.setdefault(kind.name, Table(kind))
        if table.shape.kind is not kind and table.shape.kind != kind:
            msg = f"there are two kinds of the name {kind.name}"
            raise UsageError(msg)
        return table


def _apply(acts: Sequence[Act], now: int, undo: Undo) -> Outcome:
    records: list[Record] = []
    for number, act in enumerate(acts):
        try:
            record = act(now, undo)
        except UnmetError as unmet:
            return Outcome(False, number, unmet.condition)
        if record is not None:
            records.append(record)
    return Outcome(True, records=tuple(records))


def _clean(table: Table, now: int, limit: int) -> int:
    keys = table.expired(now, limit)
    for key in keys:
        table.set(key, None)
    return len(keys)
