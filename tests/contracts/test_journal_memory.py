"""The memory store keeps every promise of the journal contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.journal import JournalContract
from tests.contracts.opened import InMemory


class TestDriven(InMemory, JournalContract):
    driven = True


class TestAwaited(InMemory, JournalContract):
    driven = False
