"""Counters in every records store keep the promises of counters."""

from __future__ import annotations

from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory

from garrison.stores.memory.records import MemoryRecords
from garrison.stores.postgres.store import PostgresStore
from garrison.stores.protocols import Counters, Store
from garrison.stores.recorded import COUNTS, RecordCounters
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing import CountersContract, ManualClock
from tests.stores.postgres_server import postgres

CHAIN = b"k" * 32


class _Recorded(CountersContract):
    def counters(self, store: Store, clock: ManualClock) -> Counters:
        """Count in a store's records."""
        face = store.driven() if self.driven else store.awaited()
        return RecordCounters(face, clock, token_bytes)


class TestMemoryDriven(_Recorded):
    driven = True

    def open(self, clock: ManualClock) -> Counters:
        """In memory."""
        return self.counters(MemoryRecords(clock, CHAIN), clock)


class TestMemoryAwaited(TestMemoryDriven):
    driven = False


class TestSqliteDriven(_Recorded):
    driven = True

    def setup_method(self) -> None:
        """Begin in an empty folder."""
        self.folder = TemporaryDirectory()
        self.opened: list[SqliteStore] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Close every file."""
        super().teardown_method()
        for store in self.opened:
            store.close()
        self.folder.cleanup()

    def open(self, clock: ManualClock) -> Counters:
        """In a file of its own."""
        path = Path(self.folder.name) / f"{len(self.opened)}.db"
        self.opened.append(SqliteStore(path, clock, [COUNTS], CHAIN))
        return self.counters(self.opened[-1], clock)


class TestSqliteAwaited(TestSqliteDriven):
    driven = False


class TestPostgresDriven(_Recorded):
    """One database for all: emptied where another store would be opened."""

    driven = True

    def setup_method(self) -> None:
        """Begin with an empty database."""
        self.url = postgres().database()
        self.opened: list[PostgresStore] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Let go of it."""
        super().teardown_method()
        for store in self.opened:
            store.close()

    def open(self, clock: ManualClock) -> Counters:
        """Empty it."""
        while self.opened:
            self.opened.pop().close()
        self.opened.append(PostgresStore(self.url, clock, [COUNTS], CHAIN))
        self.opened[-1].readers.here().execute("DELETE FROM counts")
        return self.counters(self.opened[-1], clock)
