"""How often keys are used: counted in memory, written in batches, never one write a request.

What is lost with a process that dies is the count of the last seconds, never a right or a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from garrison.credentials.key_record import KEEP, USES, KeyUse
from garrison.model.units import MINUTE
from garrison.stores.protocols import Put

if TYPE_CHECKING:
    from garrison.credentials.keys.hot import Tally
    from garrison.stores.protocols import Records

__all__ = ["BATCH", "COARSE", "Uses"]

BATCH: Final = 200
"""Most secrets whose counts go into one commit."""

COARSE: Final = MINUTE
"""Last uses are written down to the minute: enough to see that a secret is idle, too little to follow anyone."""

_TRIES: Final = 3


class Uses:
    """Counts uses, and writes them when told to."""

    __slots__ = ("_carried", "_pending", "_records")

    def __init__(self, records: Records) -> None:
        """Begin with nothing counted."""
        self._records = records
        self._pending: list[Tally] = []
        self._carried: dict[str, KeyUse] = {}

    def note(self, tally: Tally, now: int) -> None:
        """Count one use, in memory."""
        tally.count += 1
        tally.last = now
        tally.used = True
        if not tally.pending:
            tally.pending = True
            self._pending.append(tally)

    async def flush(self) -> int:
        """Write what was counted since the last time; tells for how many secrets.

        Raises:
            StoreError: The store could not answer; what was not written is kept for the next flush.
        """
        self._gather()
        ids = list(self._carried)
        for start in range(0, len(ids), BATCH):
            await self._write(ids[start : start + BATCH])
        return len(ids) - len(self._carried)

    def _gather(self) -> None:
        """Take the tallies' counts over, those of one secret together."""
        pending, self._pending = self._pending, []
        for tally in pending:
            tally.pending = False
            count, tally.count = tally.count, 0
            use = KeyUse(id=tally.secret, key=tally.key, count=count, last=tally.last)
            self._carried[use.id] = _sum(self._carried.get(use.id), use)

    async def _write(self, ids: list[str]) -> None:
        for _ in range(_TRIES):
            steps = [Put(USES, _sum(await self._records.get(USES, id), self._carried[id])) for id in ids]
            outcome = await self._records.commit(steps)
            if outcome.done:
                for id in ids:
                    del self._carried[id]
                return


def _sum(before: KeyUse | None, more: KeyUse) -> KeyUse:
    if before is None:
        before = KeyUse(id=more.id, key=more.key)
    last = max(before.last, more.last - more.last % COARSE)
    return replace(before, count=before.count + more.count, last=last, purge=last + KEEP)
