"""What does the SQLite store add to SQLite? Rival: stdlib `sqlite3` on the same file, prepared, nothing decoded.

Cold: one of a million records by its key, driven, decoded and checked for expiry, against the bare point lookup
of its row; 20,000 keys at random, so that most pages come from the operating system. Journal: one event cleaned
of secrets, sealed and written behind, against one bare row in a transaction of its own with the same
`synchronous`. Not measured: the network, flushing to disk (process CPU time), other processes.
"""

from __future__ import annotations

import os
import random
import sqlite3
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure, compare, figure, run
from garrison.model.event import Event
from garrison.stores.protocols import Kind, Record
from garrison.stores.sqlite.connection import connect
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock

__all__ = ["figures"]

RECORDS = 1_000_000
PROBED = 20_000
EVENTS = 100
"""Events of one round; with them the writer is woken once."""


class KeyLike(Record, frozen=True, kw_only=True):
    """About as much as a record of an API key holds: 430 bytes of JSON."""

    id: str
    owner: str
    name: str
    scopes: list[str]
    mac: str
    row_mac: str
    networks: list[str]
    routes: list[str]
    created_at: int
    status: str = "active"
    expires_at: int = 0
    pepper: str = "ab12cd34"


KIND = Kind(name="key_like", struct=KeyLike, indexes=("owner",), expires="expires_at")


def figures() -> list[Figure]:
    """Measure; half a minute, most of it to make the records."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "bench.db")
        store = SqliteStore(path, ManualClock(), [KIND], os.urandom(32))
        probes = _fill(store, path)
        found = [_cold(store, path, probes), _journal(store, Path(directory, "rival.db"))]
        store.close()
    return found


def _fill(store: SqliteStore, path: Path) -> list[str]:
    """Store the records, straight into the table: the store's own commits would take a minute."""
    dice = random.Random(1)
    keys = [f"{dice.getrandbits(72):018x}" for _ in range(RECORDS)]
    table = store.tables[KIND.name]
    connection = connect(path, reading=False)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    connection.executemany(table.put, (table.row(_record(key, number)) for number, key in enumerate(keys)))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return dice.sample(keys, PROBED)


def _record(key: str, number: int) -> KeyLike:
    return KeyLike(
        id=key,
        version=1,
        owner=f"user:{number % 5_000:06}",
        name=f"key number {number}",
        scopes=["notes:read", "notes:write"],
        mac=f"{number * 7919:064x}",
        row_mac=f"{number * 104729:064x}",
        networks=["10.0.0.0/8"],
        routes=[],
        created_at=1_800_000_000_000_000 + number,
    )


def _cold(store: SqliteStore, path: Path, probes: list[str]) -> Figure:
    face, bare = store.driven(), connect(path, reading=True)
    ours, rival = cycle(probes), cycle(probes[PROBED // 2 :] + probes[: PROBED // 2])
    found = compare(
        lambda: run(face.get(KIND, next(ours))),
        lambda: bare.execute("SELECT body FROM key_like WHERE key = ?1", (next(rival),)).fetchone(),
        rounds=15,
        calls=4_000,
    )
    bare.close()
    return figure("record from SQLite with 1 M, cold, against the bare sqlite3 lookup", *found, bar=2.5)


def _journal(store: SqliteStore, path: Path) -> Figure:
    face, bare = store.driven(), sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = NORMAL")
    bare.execute("CREATE TABLE journal (sequence INTEGER PRIMARY KEY, body TEXT)")
    body = "x" * 280
    event = Event(
        code="authz_fail",
        at=1,
        actor="user:ada",
        outcome="refused",
        severity="warning",
        reason="scope_missing",
        address="10.1.2.3",
        route="POST /api/keys",
        correlation="4bf92f3577b34da6a3ce929d0e0e4736",
    )

    def ours() -> None:
        for _ in range(EVENTS):
            run(face.append([event]))
        run(face.flush())

    def rival() -> None:
        for _ in range(EVENTS):
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO journal (body) VALUES (?1)", (body,))
            bare.execute("COMMIT")

    found = compare(ours, rival, rounds=15, calls=10)
    bare.close()
    name = "event cleaned, sealed and written behind, against a bare row in a transaction of its own"
    return figure(name, found.ours / EVENTS, found.rival / EVENTS, bar=2)
