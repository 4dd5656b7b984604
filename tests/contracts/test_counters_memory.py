"""The memory store keeps every promise of the counters contract, whether awaited or driven."""

from __future__ import annotations

from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock
from garrison.testing.counters import CountersContract


class InMemory:
    def open(self, clock: ManualClock) -> MemoryCounters:
        return MemoryCounters(clock)


class TestDriven(InMemory, CountersContract):
    driven = True


class TestAwaited(InMemory, CountersContract):
    driven = False
