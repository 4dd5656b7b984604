"""The sqlite store keeps every promise of the journal contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.journal import JournalContract
from tests.contracts.opened import InSqlite


class TestDriven(InSqlite, JournalContract):
    driven = True


class TestAwaited(InSqlite, JournalContract):
    driven = False
