"""The memory store keeps every promise of the records contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.records import RecordsContract
from tests.contracts.opened import InMemory


class TestDriven(InMemory, RecordsContract):
    driven = True


class TestAwaited(InMemory, RecordsContract):
    driven = False
