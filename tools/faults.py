"""`make faults`: what a cluster of three workers does while its parts die, stand still, or are full.

A bounded load runs against nginx: six callers, each of which waits for its answer. Before, during and after each fault
it counts what was answered and what passed that must not have: more of an exact limit than it allows, more of a rate
than its envelope, a key a second after its revocation was acknowledged. What was acknowledged must be there afterwards.

The table is written to docs/proof/faults.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event, Thread
from typing import Final, NamedTuple, Self

import redis
from prometheus_client.parser import text_string_to_metric_families

from garrison.stores.near.counters import DECISION
from tools.cluster import ROOT, Cluster, ClusterError, Part, free_ports, until

__all__ = ["CALLERS", "FAULTS", "Fault", "Row", "measured", "played"]

TABLE: Final = ROOT / "docs" / "proof" / "faults.md"

EXACT: Final = 500
"""More than the load takes before a fault begins, and less than it takes in all."""

RATE: Final = 20
BURST: Final = 40
CALLERS: Final = 6
_PAUSE = 0.02
"""Seconds that a caller waits between two requests."""

_KNOWN = 1.0
"""Seconds after which a revocation is known everywhere."""

_PATIENCE = 10.0
"""Seconds after which a caller gives up."""


class Fault(NamedTuple):
    """Something that happens to a cluster, and how it ends."""

    name: str
    begin: Callable[[Cluster], object]
    end: Callable[[Cluster], object]


class Asked(NamedTuple):
    """One request of the load; the status is 0 when nobody answered."""

    kind: str
    sent: float
    seconds: float
    status: int
    body: bytes


class Row(NamedTuple):
    """What one fault did."""

    fault: str
    asked: int
    answered: int
    """By anything but 5xx."""

    exact: int
    """Passed of an exact limit beyond it."""

    rate: int
    """Passed of a rate beyond its envelope."""

    revoked: int
    """Passed by a key that had been revoked for a second."""

    written: int
    lost: int
    """Acknowledged writes that were not there afterwards."""

    late: int
    """Limits that were decided later than the deadline and 5 ms."""

    slowest: float
    """Seconds until the slowest answer."""

    recovered: float
    """Seconds from the end of the fault until every worker said that it was ready."""


def _part(name: str) -> Callable[[Cluster], Part]:
    return lambda cluster: next(part for part in cluster.parts if part.name == name)


def _killed(name: str) -> Fault:
    part = _part(name)
    return Fault(f"{name}: SIGKILL", lambda cluster: part(cluster).kill(), lambda cluster: part(cluster).start())


def _paused(name: str) -> Fault:
    part = _part(name)
    return Fault(f"{name}: SIGSTOP", lambda cluster: part(cluster).pause(), lambda cluster: part(cluster).resume())


def _fill(cluster: Cluster) -> None:
    """Write until there is no room; what was written goes by itself after the fault."""
    secret = (cluster.folder / "secrets" / "counters").read_text("ascii").strip()
    with redis.Redis(port=cluster.counters.port, username="garrison", password=secret) as server:
        try:
            for number in count():
                server.set(f"garrison:{{fill}}{number}", b"x" * 500_000, px=2_500)
        except redis.exceptions.OutOfMemoryError:
            return


FAULTS: Final = (
    Fault("none", lambda _: None, lambda _: None),
    *(_killed(name) for name in ("worker-1", "worker-2", "worker-3", "valkey", "postgres")),
    *(_paused(name) for name in ("worker-1", "valkey", "postgres")),
    Fault("valkey: full", _fill, lambda _: time.sleep(1)),
    Fault("valkey: restarted, scripts forgotten", lambda cluster: cluster.counters.restart(), lambda _: None),
)
"""In the order in which they are played."""


class Load:
    """Callers that ask the front, each one request after the other."""

    def __init__(self, port: int, keys: dict[str, str]) -> None:
        """Prepare to ask; `keys` by kind of request."""
        self.asked: list[Asked] = []
        self._port = port
        self._keys = keys
        self._over = Event()
        self._threads = [Thread(target=self._call, args=(number,)) for number in range(CALLERS)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the last answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        kinds = list(self._keys)
        for turn in count(number):
            if self._over.wait(_PAUSE):
                return
            kind = kinds[turn % len(kinds)]
            sent = time.monotonic()
            written = {"title": f"{number}-{turn}"} if kind == "write" else None
            status, body = _ask(self._port, "/api/tasks", self._keys[kind], written)
            self.asked.append(Asked(kind, sent, time.monotonic() - sent, status, body))


def _ask(port: int, path: str, key: str = "", body: object = None) -> tuple[int, bytes]:
    """Ask once; gives status 0 when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    fields = {"x-api-key": key, "content-type": "application/json"} if key else {}
    try:
        connection.request("GET" if body is None else "POST", path, json.dumps(body) if body else None, fields)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _keys(cluster: Cluster, name: str) -> dict[str, str]:
    """Make a key for each kind of request."""
    limits = {
        "exact": f"at most {EXACT} in 1h per key as few",
        "rate": f"{RATE}/s burst {BURST} per key",
        "revoked": "1000/s per key",
        "write": "1000/s per key",
    }
    scopes = "tasks:read,tasks:write"
    return {
        kind: cluster.garrison("keys", "create", f"{name} {kind}", "--scopes", scopes, "--limit", limit)
        for kind, limit in limits.items()
    }


def played(cluster: Cluster, fault: Fault, seconds: float) -> Row:
    """Play one fault under load.

    Args:
        cluster: A cluster that runs.
        fault: What happens to it.
        seconds: How long it lasts, and how long the load goes on before and after.
    """
    keys = _keys(cluster, fault.name)
    late = _late(cluster)
    with Load(cluster.front.port, keys) as load:
        time.sleep(seconds)
        cluster.garrison("keys", "revoke", keys["revoked"])
        revoked = time.monotonic()
        fault.begin(cluster)
        time.sleep(seconds)
        fault.end(cluster)
        ended = time.monotonic()
        until(lambda: all(_is_ready(worker.port) for worker in cluster.workers), f"ready after {fault.name}")
        recovered = time.monotonic() - ended
        time.sleep(seconds)
    left = _left(cluster.front.port, keys["exact"])
    return _row(fault.name, cluster, load.asked, keys, revoked, left, _late(cluster) - late, recovered)


def _left(port: int, key: str) -> int:
    """Spend what is left of the exact limit; gives how much that was."""
    for passed in count():
        while (answer := _ask(port, "/api/tasks", key))[0] == 429 and b'"few"' not in answer[1]:
            time.sleep(_PAUSE)
        if answer[0] != 200:
            return passed
    raise AssertionError


def _row(
    name: str,
    cluster: Cluster,
    asked: Sequence[Asked],
    keys: dict[str, str],
    revoked: float,
    left: int,
    late: int,
    back: float,
) -> Row:
    passed = {kind: [each for each in asked if each.kind == kind and each.status in (200, 201)] for kind in keys}
    stretch = max(each.sent + each.seconds for each in asked) - min(each.sent for each in asked)
    made = {json.loads(each.body)["id"] for each in passed["write"]}
    return Row(
        fault=name,
        asked=len(asked),
        answered=sum(0 < each.status < 500 for each in asked),
        exact=max(len(passed["exact"]) + left - EXACT, 0),
        rate=max(len(passed["rate"]) - BURST - int(RATE * stretch), 0),
        revoked=sum(each.sent > revoked + _KNOWN for each in passed["revoked"]),
        written=len(made),
        lost=len(made - _stored(cluster.front.port, keys["write"])),
        late=late,
        slowest=max(each.seconds for each in asked),
        recovered=back,
    )


def _stored(port: int, key: str) -> set[int]:
    """List the tasks of a key."""
    found: set[int] = set()
    for page in count(1):
        while (answer := _ask(port, f"/api/tasks?limit=100&page={page}", key))[0] == 429:
            time.sleep(_PAUSE)
        status, body = answer
        if status != 200:
            msg = f"the tasks cannot be listed: {status}"
            raise ClusterError(msg)
        listed = json.loads(body)
        found |= {task["id"] for task in listed["tasks"]}
        if page >= listed["pagination"]["pages"]:
            break
    return found


def _is_ready(port: int) -> bool:
    status, body = _ask(port, "/ready")
    return status == 200 and json.loads(body)["status"] == "ready"


_COLLECTOR: dict[Path, str] = {}


def _late(cluster: Cluster) -> int:
    """Tell how many limits the workers decided too late since they began."""
    if cluster.folder not in _COLLECTOR:
        _COLLECTOR[cluster.folder] = cluster.garrison("keys", "create", "collector", "--scopes", "admin:metrics")
    return sum(_late_of(worker.port, _COLLECTOR[cluster.folder]) for worker in cluster.workers)


def _late_of(port: int, key: str) -> int:
    text = _ask(port, "/metrics", key)[1].decode()
    (waits,) = [each for each in text_string_to_metric_families(text) if each.name == "garrison_limit_wait_seconds"]
    below = {each.labels.get("le", each.name): each.value for each in waits.samples}
    return int(below["+Inf"] - below[f"{DECISION:g}"])


@contextmanager
def measured() -> Iterator[Cluster]:
    """Run a cluster in a folder of its own that PostgreSQL's account can reach."""
    folder = Path(mkdtemp(prefix="garrison-faults-"))
    folder.chmod(0o711)
    try:
        with Cluster(folder, free_ports()) as cluster:
            yield cluster
    finally:
        rmtree(folder)


_PAGE = """\
# Faults

Three guarded workers of the tasks API, PostgreSQL, Valkey and nginx on one machine with two cores. Six callers ask
through nginx, each a little after it was answered, while a part dies, stands still for {seconds:g} seconds, or is full.
`make faults` writes this page.

| fault | answered | exact | rate | revoked | writes lost | late | slowest | recovered |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

- *answered*: by anything but 5xx; a request that nginx can send to another worker is.
- *exact*: what passed of `at most {exact} in 1h` beyond it, of which a part was left when the fault began; *rate*: of
  `{rate}/s burst {burst}` beyond burst and rate.
- *revoked*: what passed by a key a second after its revocation was acknowledged, just before the fault.
- *writes lost*: tasks whose creation was acknowledged and that were not there afterwards.
- *late*: limits that were decided later than {late:g} ms after they were asked for.
- *slowest*: from the request to its answer, through nginx, whatever it waited for; *recovered*: from the end of the
  fault until all workers said `ready`.

News of blocks, revocations and policies are polled from PostgreSQL, so that cutting them off is its standing still.
"""


def _line(row: Row) -> str:
    answered, lost = f"{row.answered} of {row.asked}", f"{row.lost} of {row.written}"
    times = f"{row.slowest:.2f} s", f"{row.recovered:.2f} s"
    return "| " + " | ".join(map(str, (row.fault, answered, *row[3:6], lost, row.late, *times))) + " |"


def main() -> int:
    """Play every fault and write the table; 1 when something passed or was lost that must not be."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each fault lasts")
    parser.add_argument("--only", default="", help="play the faults whose name contains this, and write nothing")
    given = parser.parse_args()
    rows = []
    with measured() as cluster:
        for fault in (each for each in FAULTS if given.only in each.name):
            rows.append(played(cluster, fault, given.seconds))
            print(_line(rows[-1]), flush=True)
    if not given.only:
        told = {"rows": "\n".join(map(_line, rows)), "seconds": given.seconds, "late": DECISION * 1e3}
        TABLE.write_text(_PAGE.format(**told, exact=EXACT, rate=RATE, burst=BURST), "utf-8")
    return int(any(row.exact or row.rate or row.revoked or row.lost for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ClusterError as error:
        sys.exit(f"make faults: {error}")
