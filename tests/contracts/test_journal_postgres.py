"""The postgres store keeps every promise of the journal contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.journal import JournalContract
from tests.contracts.opened import InPostgres


class TestDriven(InPostgres, JournalContract):
    driven = True


class TestAwaited(InPostgres, JournalContract):
    driven = False
