"""How often keys are used: counted in memory, written in batches, never one write a request.

What is lost with a process that dies is the count of the last seconds, never a right or a limit.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from garrison.credentials.key_format import key_of
from garrison.credentials.key_record import KEEP, USES, KeyUse
from garrison.errors import UnreadableError
from garrison.model.units import MINUTE
from garrison.stores.protocols import Drop, Put

if TYPE_CHECKING:
    from garrison.stores.protocols import Records, Step

__all__ = ["BATCH", "COARSE", "Uses"]

BATCH: Final = 200
"""Most secrets whose counts go into one commit."""

COARSE: Final = MINUTE
"""Last uses are written down to the minute: enough to see that a secret is idle, too little to follow anyone."""

_TRIES: Final = 3


class Uses:
    """Counts uses, and writes them when told to."""

    __slots__ = ("_carried", "_counts", "_last", "_records")

    def __init__(self, records: Records) -> None:
        """Begin with nothing counted."""
        self._records = records
        self._counts: dict[str, int] = defaultdict(int)
        self._last: dict[str, int] = {}
        self._carried: dict[str, KeyUse] = {}

    def note(self, secret: str, now: int) -> None:
        """Count one use of a secret, in memory."""
        self._counts[secret] += 1
        self._last[secret] = now

    def recent(self, secret: str) -> bool:
        """Tell whether a secret was used since the last flush."""
        return secret in self._counts

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
        """Add what was counted to what an earlier flush could not write."""
        counts, self._counts = self._counts, defaultdict(int)
        lasts, self._last = self._last, {}
        # A thread that notes meanwhile may find one of the two changed already.
        for secret in counts.keys() | lasts.keys():
            use = KeyUse(id=secret, key=key_of(secret), count=counts.get(secret, 0), last=lasts.get(secret, 0))
            self._carried[secret] = _sum(self._carried.get(secret), use)

    async def _write(self, ids: list[str]) -> None:
        for _ in range(_TRIES):
            steps = [step for id in ids for step in await self._steps(id)]
            outcome = await self._records.commit(steps)
            if outcome.done:
                for id in ids:
                    del self._carried[id]
                return

    async def _steps(self, id: str) -> list[Step]:
        """Add to what is stored; a figure that cannot be read gives way, so that it does not hold up the others."""
        try:
            return [Put(USES, _sum(await self._records.get(USES, id), self._carried[id]))]
        except UnreadableError:
            return [Drop(USES, id), Put(USES, _sum(None, self._carried[id]))]


def _sum(before: KeyUse | None, more: KeyUse) -> KeyUse:
    if before is None:
        before = KeyUse(id=more.id, key=more.key)
    last = max(before.last, more.last - more.last % COARSE)
    return replace(before, count=before.count + more.count, last=last, purge=last + KEEP)
