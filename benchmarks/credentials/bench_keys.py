"""What does it cost to believe an API key? Rivals: one SHA-256 of the key, and the bare `sqlite3` lookup of its row.

Hot: found, believed and checked for status, network and route, driven. Cold: a key that is in no memory, among a
million in SQLite; its row is read, decoded, its seal and MAC are checked, and the answer is remembered. Tail: the
slowest of a thousand hot calls while 200,000 keys live in the process, against the same with none. Not measured:
the network, the guard's other steps, contention.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import cycle
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

from msgspec.structs import replace

from benchmarks.figure import Figure, compare, figure, run
from garrison.credentials.api_key import ApiKeys
from garrison.credentials.key_change import Changes
from garrison.credentials.key_format import new_key_id
from garrison.credentials.key_order import NewKey, record_of
from garrison.credentials.key_record import ALLOWANCES, KEYS, SCHEMES, STRAYS, USES
from garrison.crypto.ring import KeyRing
from garrison.model.http.request import Request
from garrison.policy.plan import Plan
from garrison.policy.schema import Keys
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import NEWS, News
from garrison.stores.protocols import Put, Records
from garrison.stores.sqlite.store import SqliteStore
from garrison.testing.clock import ManualClock

__all__ = ["figures"]

MANY = 1_000_000
LIVE = 200_000
PRESENTED = 30_000
"""Keys of the million that are asked for: half of them by us, half by the rival, each once, so that nobody finds a
row in a processor's cache because the other has just been there."""

_KINDS = (ALLOWANCES, KEYS, NEWS, SCHEMES, STRAYS, USES)
_PLAN = Plan(route="GET /notes/{id}", template="/notes/{id}")
_ADDRESS = "10.1.2.3"
_ORDER = NewKey(name="bench", scopes=("notes:read",), networks=("10.0.0.0/8",), routes=("GET /notes/{id}",))
_HEADERS = [(b"host", b"api.example.net"), (b"user-agent", b"bench/1"), (b"accept", b"application/json")]


def figures() -> list[Figure]:
    """Measure; two minutes, most of it to make the keys."""
    return [_hot(), _cold(), _tail()]


class _Service:
    """Keys over a store; `make` gives texts of new keys."""

    def __init__(self, records: Records, clock: ManualClock, policy: Keys) -> None:
        ring, news = KeyRing([os.urandom(32)]), News(alone=True)
        self.clock, self.records = clock, records
        self.keys = ApiKeys(records, ring, news, policy, "bench")
        self._changes = Changes(records, ring, news, policy, random.Random(1).randbytes)

    def make(self, count: int) -> list[str]:
        """Store keys a thousand at a time."""
        texts: list[str] = []
        for start in range(0, count, 1_000):
            steps = []
            for _ in range(start, min(start + 1_000, count)):
                id = new_key_id(self._changes.randomness)
                text, secret = self._changes.secret(id, "sk", self.clock.wall(), frozenset())
                record = replace(record_of(_ORDER, id, None, "live", self.clock.wall()), secrets=(secret,))
                steps.append(Put(KEYS, self._changes.macs.row(record)))
                texts.append(text)
            run(self.records.commit(steps))
        return texts

    def asker(self, request: Request) -> Callable[[], object]:
        """Find and believe, as the guard does."""
        find, believe, now, monotonic = self.keys.find, self.keys.believe, self.clock.wall(), self.clock.monotonic()

        def ask() -> object:
            presented: Any = find(request)
            return run(believe(presented, request, _ADDRESS, _PLAN, now, monotonic))

        return ask


def _request(text: str) -> Request:
    return Request("GET", "/notes/7", [*_HEADERS, (b"x-api-key", text.encode())])


def _in_memory(policy: Keys) -> _Service:
    clock = ManualClock()
    return _Service(MemoryRecords(clock, bytes(32)), clock, policy)


def _hot() -> Figure:
    service = _in_memory(Keys())
    (text,) = service.make(1)
    raw, name = text.encode(), "hot API key: driven, status, network, route; against one SHA-256 of it"
    return figure(name, *compare(service.asker(_request(text)), lambda: sha256(raw).digest(), calls=5_000), bar=5)


def _cold() -> Figure:
    with _million() as (service, store, texts):
        keys = cycle([text.encode() for text in texts[::2]])
        # One request whose key changes: a server has just read its request, so nothing of it but the key is cold.
        request = _request(texts[0])
        ask = service.asker(request)
        ids = cycle([text.split("_")[3][:10] for text in texts[1::2]])
        bare, query = sqlite3.connect(store.path), f"SELECT * FROM {KEYS.name} WHERE key = ?"

        def believe() -> object:
            request.fields[b"x-api-key"] = next(keys)
            return ask()

        def look_up() -> object:
            return bare.execute(query, (next(ids),)).fetchone()

        ours, rival = compare(believe, look_up, rounds=15, calls=PRESENTED // 30 - 1)
        bare.close()
    return figure("cold API key from SQLite with 1,000,000 keys; against the bare lookup", ours, rival, bar=2.5)


@contextmanager
def _million() -> Iterator[tuple[_Service, SqliteStore, Sequence[str]]]:
    """A file with a million rows, of which the presented ones are keys and the others are copies with other ids."""
    clock = ManualClock()
    with TemporaryDirectory() as folder:
        store = SqliteStore(f"{folder}/bench.db", clock, _KINDS, bytes(32))
        service = _Service(store.driven(), clock, Keys())
        texts = service.make(PRESENTED)
        _fill(store, MANY - PRESENTED)
        run(service.keys.tend(clock.wall(), clock.monotonic()))
        random.Random(2).shuffle(texts)
        yield service, store, texts
        store.close()


def _fill(store: SqliteStore, count: int) -> None:
    """Copy one row under many ids, spread among the real ones, without going through the writer."""
    connection = sqlite3.connect(store.path)
    version, body = connection.execute(f"SELECT version, body FROM {KEYS.name} LIMIT 1").fetchone()
    id = json.loads(body)["id"]
    connection.execute(
        f"INSERT OR IGNORE INTO {KEYS.name} (key, version, expires, i_owner, i_holder, body) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1), "
        "new(id) AS MATERIALIZED (SELECT hex(randomblob(5)) FROM n) "
        "SELECT id, ?2, 0, 'service:' || id, 'service:' || id, replace(?3, ?4, id) FROM new",
        (count, version, body, id),
    )
    connection.commit()
    connection.close()


def _tail() -> Figure:
    alone, among = _in_memory(Keys()), _in_memory(Keys(cache=LIVE))
    (text,) = alone.make(1)
    texts = among.make(LIVE)
    for live in texts:
        among.asker(_request(live))()
    ours, rival = among.asker(_request(texts[LIVE // 2])), alone.asker(_request(text))
    tails = [(_slowest(ours), _slowest(rival)) for _ in range(9)]
    name = "p99.9 of a hot key with 200,000 live keys; against none"
    return figure(name, median(tail[0] for tail in tails), median(tail[1] for tail in tails), bar=2)


def _slowest(ask: Callable[[], object]) -> float:
    """The 99.9th percentile of many calls, in microseconds; wall time, since the tail is what a caller waits."""
    times = []
    for _ in range(50_000):
        begun = perf_counter_ns()
        ask()
        times.append(perf_counter_ns() - begun)
    times.sort()
    return times[len(times) * 999 // 1_000] / 1_000
