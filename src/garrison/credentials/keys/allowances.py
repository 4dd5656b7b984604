"""Uses that are numbered: a key made for 1,000 uses gets exactly so many, over all processes.

A process takes a block from the store in one step and spends it in memory; the last ones are taken one by
one. So no use is counted twice, and a process that dies loses at most the rest of one block for each key.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from garrison.credentials.key_record import ALLOWANCES
from garrison.stores.protocols import Add

if TYPE_CHECKING:
    from garrison.stores.protocols import Records

__all__ = ["BLOCK", "Allowances"]

BLOCK: Final = 50
"""Uses that a process takes at once, while twice as many are left."""


class Allowances:
    """What this process has taken and not yet spent."""

    __slots__ = ("_left", "_lock", "_records", "_spent")

    def __init__(self, records: Records) -> None:
        """Begin with nothing taken."""
        self._records = records
        self._left: dict[str, int] = {}
        self._spent: set[str] = set()
        self._lock = Lock()

    async def spend(self, key: str) -> bool:
        """Spend one use of a key; False when none is left.

        Raises:
            StoreError: The store could not answer. Whether a block was taken is then unknown, so it is not spent.
        """
        with self._lock:
            self._spent.add(key)
            if self._left.get(key, 0) > 0:
                self._left[key] -= 1
                return True
        for amount, least in ((BLOCK, BLOCK), (1, 0)):
            outcome = await self._records.commit([Add(ALLOWANCES, key, "left", -amount, least)])
            if outcome.done:
                with self._lock:
                    self._left[key] = self._left.get(key, 0) + amount - 1
                return True
        return False

    async def give_back(self, *, everything: bool = False) -> None:
        """Give back what was taken and not touched since the last call; at the end, everything.

        Raises:
            StoreError: The store could not answer; what was being given back is then lost, never doubled.
        """
        with self._lock:
            idle = [key for key in self._left if everything or key not in self._spent]
            self._spent.clear()
        for key in idle:
            with self._lock:
                amount = self._left.pop(key, 0)
            if amount:
                await self._records.commit([Add(ALLOWANCES, key, "left", amount)])
