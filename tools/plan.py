"""Measure what a fleet is planned from: `python -m tools.plan` starts a cluster of its own and prints Markdown tables.

Processor time is the kernel's, of each process with its threads and children, so that it says the same whether the
cores are shared or not; what a second of one core serves is its inverse. Memory is what the kernel or the server tells.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import redis
from prometheus_client.parser import text_string_to_metric_families

from garrison.credentials.key_change import OPERATOR, By
from garrison.credentials.key_order import NewKey
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.policy.load import load
from garrison.runtime.compose import compose
from garrison.stores.redis.counters import Driven, RedisCounters
from tools.cluster import Cluster, Part, free_ports, programs
from tools.cluster.part import Program, until

__all__ = ["Sizes", "main"]

_SUBJECT_BURST = 400
"""Requests of one token: its subject's burst is not much more."""

_TRIES = 3
"""How often a row is measured when the machine was so busy that Valkey did not answer in time: then it says nothing of
a fleet, since requests are refused by the records meanwhile."""

_PASSWORD = "correct horse battery staple of the plan"


class Sizes(NamedTuple):
    """How much is tried."""

    requests: int = 6_000
    keys: int = 24
    subjects: int = 100_000
    rows: int = 3_000


class Cost(NamedTuple):
    """Microseconds of processor time that one request takes."""

    what: str
    worker: float
    nginx: float
    valkey: float
    postgres: float
    statuses: dict[int, int]


def main(sizes: Sizes | None = None) -> int:
    """Print every table."""
    sizes = sizes or Sizes()
    with _place() as folder, Cluster(folder, free_ports()) as cluster:
        costs = list(_costs(cluster, sizes))
        print("| request | worker | nginx | Valkey | PostgreSQL | a worker's core serves | answers |")
        print("|---|---|---|---|---|---|---|")
        for cost in costs:
            micros = " | ".join(f"{each:,.0f} µs" for each in cost[1:5])
            print(f"| {cost.what} | {micros} | {1e6 / cost.worker:,.0f}/s | {_told(cost.statuses)} |")
        print("\n| a process of | holds |\n|---|---|")
        for name, held in _held(cluster):
            print(f"| {name} | {held} |")
        print("\n| in PostgreSQL | |\n|---|---|")
        for name, found in _rows(cluster, sizes.rows):
            print(f"| {name} | {found} |")
        cluster.workers[0].stop()
        began = time.monotonic()
        cluster.workers[0].start()
        print(f"| a worker is ready after | {time.monotonic() - began:.1f} s |")
    print("\n| a subject in Valkey | bytes | a million |\n|---|---|---|")
    with _place() as folder:
        for name, size in _subjects(folder, sizes.subjects):
            print(f"| {name} | {size:.0f} | {size / 1.048576:,.0f} MiB |")
    return 0


def _told(statuses: dict[int, int]) -> str:
    return ", ".join(f"{count:,} of {status}" for status, count in sorted(statuses.items()))


@contextmanager
def _place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="garrison-plan-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _costs(cluster: Cluster, sizes: Sizes) -> Iterator[Cost]:
    with ThreadPoolExecutor(2) as threads:
        words = ("keys", "create", "plan", "--scopes", "tasks:read,tasks:write")
        keys = list(threads.map(lambda _: cluster.garrison(*words), range(sizes.keys)))
    spent = cluster.garrison("keys", "create", "few", "--scopes", "tasks:read", "--limit", "1/h per key")
    many, few = sizes.requests, min(sizes.requests, _SUBJECT_BURST)
    token, another = _registered(cluster, "ada"), _registered(cluster, "bob")
    known = [_request("GET", "/api/tasks", x_api_key=key) for key in keys]
    yield _cost(cluster, "no credential, no limit (`/ready`)", [_request("GET", "/ready")], many)
    yield _cost(cluster, "a key, its limit, one page of tasks", known, many)
    new = [_request("POST", "/api/tasks", {"title": "planned"}, x_api_key=key) for key in keys]
    yield _cost(cluster, "the same, and a task is written", new, many // 3)
    bearer = [_request("GET", "/api/tasks", authorization=f"Bearer {token}")]
    yield _cost(cluster, "a token, its limit, one page of tasks", bearer, few)
    own = [_request("GET", "/api/me", authorization=f"Bearer {another}")]
    yield _cost(cluster, "a token, its limit, no application (`/api/me`)", own, few)
    wrong = [_request("GET", "/api/tasks", x_api_key=key[:-1] + ("a" if key[-1] != "a" else "b")) for key in keys]
    yield _cost(cluster, "a key with a typing error: refused", wrong, many)
    limited = [_request("GET", "/api/tasks", x_api_key=spent)]
    yield _cost(cluster, "a key whose limit is spent: refused", limited, many)
    login = {"login": "ada", "password": _PASSWORD}
    yield _cost(cluster, "a login", [_request("POST", "/api/auth/login", login)], min(30, few), 1)


def _registered(cluster: Cluster, name: str) -> str:
    """Make a user; gives a token."""
    person = {"username": name, "email": f"{name}@tasks.example", "password": _PASSWORD}
    answer = asyncio.run(_one(cluster.front.port, _request("POST", "/api/auth/register", person)))
    return str(answer["token"])


def _request(method: str, path: str, body: object = None, **fields: str) -> bytes:
    sent = json.dumps(body).encode() if body is not None else b""
    named = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(sent)), **fields}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {text}" for name, text in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent


def _cost(cluster: Cluster, what: str, requests: Sequence[bytes], count: int, at_once: int = 24) -> Cost:
    for _ in range(_TRIES):
        before = _unanswered(cluster)
        cost = _measured(cluster, what, requests, count, at_once)
        if before == _unanswered(cluster):
            break
    return cost


def _unanswered(cluster: Cluster) -> int:
    """Count the calls that the workers' counters did not answer, after all workers have made up for them."""

    def told() -> dict[str, float]:
        texts = [asyncio.run(_said(worker.port, request)).decode() for worker in cluster.workers]
        found: dict[str, float] = {}
        for family in (family for text in texts for family in text_string_to_metric_families(text)):
            for each in family.samples:
                found[each.name] = found.get(each.name, 0) + each.value
        return found

    if cluster.folder not in _COLLECTOR:
        _COLLECTOR[cluster.folder] = cluster.garrison("keys", "create", "collector", "--scopes", "admin:metrics")
    request = _request("GET", "/metrics", x_api_key=_COLLECTOR[cluster.folder])
    until(lambda: not told()[_OPEN], "the counters answer every worker")
    return int(told()[_FAILED])


_FAILED, _OPEN = "garrison_counters_calls_failed_total", "garrison_counters_breaker_open"
_COLLECTOR: dict[Path, str] = {}
"""The key that reads the metrics of a cluster, by its folder."""


def _measured(cluster: Cluster, what: str, requests: Sequence[bytes], count: int, at_once: int) -> Cost:
    asyncio.run(_load(cluster.front.port, requests, count // 10, at_once))
    parts = (*cluster.workers, cluster.front, cluster.counters, cluster.records)
    before = [_spent(part) for part in parts]
    statuses = asyncio.run(_load(cluster.front.port, requests, count, at_once))
    *workers, nginx, valkey, postgres = (
        (_spent(part) - since) / count for part, since in zip(parts, before, strict=True)
    )
    return Cost(what, sum(workers), nginx, valkey, postgres, dict(statuses))


def _spent(part: Part) -> float:
    """Microseconds that a part has had a processor: all its processes and threads."""
    tasks = (path for process in part.family for path in Path(f"/proc/{process}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in tasks) / 1_000


async def _load(port: int, requests: Sequence[bytes], count: int, at_once: int) -> Counter[int]:
    """Send so many requests over some connections, each of which waits for its answers."""
    left = iter(range(count))
    found: Counter[int] = Counter()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in left:
            writer.write(requests[number % len(requests)])
            found[(await _answer(reader))[0]] += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(at_once)))
    return found


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return int(head[9:12]), body
    size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    return int(head[9:12]), await reader.readexactly(size)


async def _one(port: int, request: bytes) -> Any:
    return json.loads(await _said(port, request))


async def _said(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    _, body = await _answer(reader)
    writer.close()
    return body


def _held(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for part in (cluster.workers[0], cluster.front, cluster.counters):
        shared = sum(_memory(process) for process in part.family)
        yield part.name.partition("-")[0], f"{shared / 1024:,.0f} MiB"
    with _database(cluster) as connection:
        found = connection.execute(
            "SELECT usename, count(*) FROM pg_stat_activity WHERE usename <> 'operator' GROUP BY 1"
        )
        told = ", ".join(f"{count} for {name}" for name, count in sorted(found.fetchall()) if name)
    yield "PostgreSQL, connections of three workers", told


def _memory(process: int) -> int:
    """KiB, what is shared with other processes counted by its share."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


@contextmanager
def _database(cluster: Cluster) -> Iterator[psycopg.Connection]:
    password = (cluster.folder / "secrets" / "garrison").read_text("ascii").strip()
    place = f"host=127.0.0.1 port={cluster.records.port} dbname=garrison user=garrison"
    with psycopg.connect(place, password=password, autocommit=True) as connection:
        yield connection


def _rows(cluster: Cluster, count: int) -> Iterator[tuple[str, str]]:
    """Make keys, each with its event, one commit each, and look how much larger the tables are."""
    tables = ("api_key", "garrison_journal")
    with _database(cluster) as connection:
        before = [_size(connection, table) for table in tables]
        runtime = compose(load(cluster.policy, "staging"))
        began = time.monotonic()
        for number in range(count):
            order = NewKey(name=f"planned {number}", scopes=("tasks:read",))
            drive(runtime.driven_side.keys.create(order, By(OPERATOR, runtime.clock.wall())))
        rate = count / (time.monotonic() - began)
        runtime.close()
        key, event = ((_size(connection, table) - since) / count for table, since in zip(tables, before, strict=True))
    yield "a key, its indexes included", f"{key:,.0f} bytes, {key / 1.048576:,.0f} MiB a million"
    yield "an event of the journal", f"{event:,.0f} bytes, {event / 1.048576:,.0f} MiB a million"
    yield "changes that one process commits one after another, each flushed to disk", f"{rate:,.0f}/s"


def _size(connection: psycopg.Connection, table: str) -> int:
    (size,) = connection.execute("SELECT pg_total_relation_size(%s)", (table,)).fetchone() or (0,)
    return int(size)


_LIMITS = (
    ("a rate, `50/h burst 500 per principal`", "50/h burst 500 per principal", 1),
    ("an exact limit, `at most 5 in 1h per address`, once used", "at most 5 in 1h per address", 1),
    ("the same, used five times", "at most 5 in 1h per address", 5),
)


def _subjects(folder: Path, count: int) -> Iterator[tuple[str, float]]:
    """Let many subjects spend, in a Valkey of its own for each limit."""
    for name, text, uses in _LIMITS:
        limit = parse(text)
        with _valkey(folder) as port, redis.Redis(port=port) as client:
            link = Driven(deadline=10, host="127.0.0.1", port=port)
            counters = RedisCounters(link, secrets.token_bytes(32), os.urandom)
            before = _used(client)
            for number in range(count):
                drive(counters.take([Ask(f"user:{number:012}", limit)] * uses))
            yield name, (_used(client) - before) / count
            link.close()


@contextmanager
def _valkey(folder: Path) -> Iterator[int]:
    (port, *_) = free_ports()
    command = [programs.valkey(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = Part("valkey", port, Program(command), folder / "log", lambda: _answers(port))
    server.start()
    try:
        yield port
    finally:
        server.stop()


def _answers(port: int) -> bool:
    with redis.Redis(port=port) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _used(client: Any) -> int:
    return int(client.info("memory")["used_memory"])


if __name__ == "__main__":
    sys.exit(main())
