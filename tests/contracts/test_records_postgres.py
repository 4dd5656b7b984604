"""The postgres store keeps every promise of the records contract, whether awaited or driven."""

from __future__ import annotations

from garrison.testing.records import RecordsContract
from tests.contracts.opened import InPostgres


class TestDriven(InPostgres, RecordsContract):
    driven = True


class TestAwaited(InPostgres, RecordsContract):
    driven = False
