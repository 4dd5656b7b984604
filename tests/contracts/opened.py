"""How the contracts open each of our stores."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from garrison.stores.memory.records import MemoryRecords
from garrison.stores.postgres.store import PostgresStore
from garrison.stores.protocols import Kind
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock
from garrison.testing.store_case import StoreCase
from tests.stores.postgres_server import postgres


class InMemory(StoreCase):
    def open(self, clock: ManualClock, kinds: tuple[Kind, ...], chain_key: bytes) -> MemoryRecords:
        return MemoryRecords(clock, chain_key)


class InSqlite(StoreCase):
    def open(self, clock: ManualClock, kinds: tuple[Kind, ...], chain_key: bytes) -> SqliteStore:
        self.directory = TemporaryDirectory()
        return SqliteStore(f"{self.directory.name}/var/store.db", clock, kinds, chain_key)

    def teardown_method(self) -> None:
        super().teardown_method()
        self.directory.cleanup()


class InPostgres(StoreCase):
    def open(self, clock: ManualClock, kinds: tuple[Kind, ...], chain_key: bytes) -> PostgresStore:
        return PostgresStore(postgres().database(), clock, kinds, chain_key)
