"""The sqlite store keeps every promise of the records contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.records import RecordsContract
from tests.contracts.opened import InSqlite


class TestDriven(InSqlite, RecordsContract):
    driven = True


class TestAwaited(InSqlite, RecordsContract):
    driven = False
