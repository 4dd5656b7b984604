"""Three workers of a cluster act as one, each part can be taken out by itself, and nothing is left behind."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import takewhile
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest

from tools.cluster import PORTS, ROOT, Cluster, ClusterError, Part, free_ports, programs, until

PERSON = {"username": "ada", "email": "ada@tasks.example", "password": "correct horse battery staple 9"}
BOUND = 1.0
"""Seconds within which a change is in force in every worker."""


class Answer(NamedTuple):
    """A response, and when its request was sent."""

    status: int
    body: bytes
    sent: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    part: Part, method: str, path: str, body: object = None, *, key: str = "", token: str = "", forwarded: str = ""
) -> Answer:
    sent = time.monotonic()
    connection = HTTPConnection("127.0.0.1", part.port, timeout=30)
    fields = {"content-type": "application/json"} if body is not None else {}
    fields |= {"x-api-key": key} if key else {}
    fields |= {"authorization": f"Bearer {token}"} if token else {}
    fields |= {"x-forwarded-for": forwarded} if forwarded else {}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, fields)
        response = connection.getresponse()
        return Answer(response.status, response.read(), sent)
    finally:
        connection.close()


@contextmanager
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's account can reach."""
    folder = Path(mkdtemp(prefix="garrison-cluster-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with place() as folder, Cluster(folder, free_ports()) as running:
        yield running


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> str:
    """A fresh login."""
    assert ask(cluster.front, "POST", "/api/auth/register", PERSON).status == 201
    login = {"login": PERSON["username"], "password": PERSON["password"]}
    return str(ask(cluster.front, "POST", "/api/auth/login", login).json["token"])


@pytest.fixture(scope="module")
def key(cluster: Cluster) -> str:
    return cluster.garrison("keys", "create", "demo", "--scopes", "tasks:read")


def tasks(part: Part, key: str) -> int:
    return ask(part, "GET", "/api/tasks", key=key).status


def served(part: Part, key: str) -> Callable[[], bool]:
    return lambda: tasks(part, key) == 200


def alive(process: int) -> bool:
    path = Path(f"/proc/{process}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_key_made_in_one_worker_is_valid_in_all_and_revoked_in_all(cluster: Cluster, token: str) -> None:
    """What was acknowledged counts everywhere: at once for what is new, within a second for what is remembered."""
    first, *_ = cluster.workers
    made = ask(first, "POST", "/api/keys", {"name": "laptop", "scopes": ["tasks:read"]}, token=token)
    assert made.status == 201
    key = made.json["key"]
    for part in (*cluster.workers, cluster.front):
        until(served(part, key), f"valid in {part.name}", BOUND)

    assert ask(first, "DELETE", f"/api/keys/{made.json['id']}", token=token).status == 204
    acknowledged = time.monotonic()

    for part in (*cluster.workers, cluster.front):
        while (answer := ask(part, "GET", "/api/tasks", key=key)).status != 401:
            assert answer.status == 200
            assert answer.sent - acknowledged < BOUND, part.name


@pytest.mark.parametrize("through", ["each worker in turn", "the front"])
def test_a_limit_is_exact_across_the_workers(cluster: Cluster, through: str) -> None:
    """Ninety requests in six threads at once, on one count of forty."""
    key = cluster.garrison("keys", "create", "few", "--scopes", "tasks:read", "--limit", "at most 40 in 1h per key")
    parts = [cluster.front] if through == "the front" else list(cluster.workers)

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda number: tasks(parts[number % len(parts)], key), range(90)))

    assert (statuses.count(200), statuses.count(429)) == (40, 50)


def test_a_worker_believes_nobody_but_nginx(cluster: Cluster) -> None:
    """Whoever names another address is taken for himself, directly and through nginx, whose word counts."""
    elsewhere, here = (
        cluster.garrison("keys", "create", "bound", "--scopes", "tasks:read", "--network", network)
        for network in ("203.0.113.0/24", "127.0.0.1/32")
    )

    for part in (*cluster.workers, cluster.front):
        assert ask(part, "GET", "/api/tasks", key=elsewhere, forwarded="203.0.113.9").status == 403
        assert tasks(part, here) == 200


def part_named(cluster: Cluster, name: str) -> Part:
    return next(part for part in cluster.parts if part.name == name)


@pytest.mark.parametrize("name", ["postgres", "valkey", "worker-1", "worker-2", "worker-3", "nginx"])
@pytest.mark.parametrize("way", [Part.kill, Part.stop])
def test_each_part_can_be_taken_out_and_put_back(
    cluster: Cluster, key: str, name: str, way: Callable[[Part], object]
) -> None:
    part = part_named(cluster, name)
    family = part.family

    way(part)
    assert not any(map(alive, family))
    assert not part.pid

    part.start()
    for each in (cluster.front, *cluster.workers):
        until(served(each, key), f"served again by {each.name}")


@pytest.mark.parametrize("name", ["postgres", "valkey", "nginx"])
def test_what_all_need_goes_on_where_it_was_held_still(cluster: Cluster, key: str, name: str) -> None:
    part = part_named(cluster, name)
    family = part.family

    part.pause()
    states = {Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] for each in part.family}
    part.resume()

    assert states == {"T"}
    assert part.pid == family[0]
    for each in (cluster.front, *cluster.workers):
        until(served(each, key), f"served again by {each.name}")


def test_no_count_is_lost_with_the_process_that_kept_it(cluster: Cluster) -> None:
    """What was answered stands in the file, or at least with the kernel."""
    few = cluster.garrison("keys", "create", "few", "--scopes", "tasks:read", "--limit", "at most 5 in 1h per key")
    first = cluster.workers[0]
    assert [tasks(first, few) for _ in range(4)] == [200] * 4

    cluster.counters.kill()
    cluster.counters.start()

    until(lambda: tasks(first, few) != 503, "counted again")
    assert tasks(first, few) == 429


@pytest.mark.parametrize("way", [Part.kill, Part.pause])
@pytest.mark.parametrize("number", range(3))
def test_the_front_goes_on_without_a_worker(
    cluster: Cluster, key: str, way: Callable[[Part], object], number: int
) -> None:
    """What reads is tried again with the next one."""
    worker = cluster.workers[number]
    way(worker)

    statuses = [tasks(cluster.front, key) for _ in range(12)]

    worker.resume()
    if not worker.pid:
        worker.start()
    assert statuses == [200] * 12


def test_without_records_nobody_is_answered_as_if_nothing_was(cluster: Cluster, key: str) -> None:
    """What is remembered counts for a second, and the tasks are gone with it: 503 from the first request on."""
    assert tasks(cluster.front, key) == 200

    cluster.records.kill()
    statuses = [tasks(part, key) for part in (cluster.front, *cluster.workers) for _ in range(5)]
    cluster.records.start()

    assert statuses == [503] * 20
    for each in (cluster.front, *cluster.workers):
        until(served(each, key), f"served again by {each.name}")


@pytest.mark.parametrize("number", range(3))
def test_no_read_fails_while_a_worker_is_killed(cluster: Cluster, number: int) -> None:
    """What was under way there is asked again elsewhere."""
    key = cluster.garrison("keys", "create", "busy", "--scopes", "tasks:read")
    worker = cluster.workers[number]
    with ThreadPoolExecutor(6) as threads:
        answers = [threads.submit(tasks, cluster.front, key) for _ in range(300)]
        answers[50].result(timeout=60)

        worker.kill()

        statuses = [answer.result(timeout=60) for answer in answers]
    worker.start()
    assert statuses == [200] * 300


def test_readiness_waits_for_no_store(cluster: Cluster, key: str) -> None:
    """What the probes of deploy/kubernetes count on: stores that are gone must not end what refuses in good order."""
    assert tasks(cluster.front, key) == 200
    cluster.records.kill()
    cluster.counters.kill()

    answers = [ask(worker, "GET", "/ready") for worker in cluster.workers]
    refused = [tasks(worker, key) for worker in cluster.workers]

    cluster.records.start()
    cluster.counters.start()
    assert [answer.status for answer in answers] == [200] * 3
    assert refused == [503] * 3
    for each in (cluster.front, *cluster.workers):
        until(served(each, key), f"served again by {each.name}")


def test_a_part_held_still_goes_on_where_it_was(cluster: Cluster, key: str) -> None:
    worker = cluster.workers[0]
    before = worker.pid
    worker.pause()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(tasks, worker, key)
        assert not waiting.done()

        worker.resume()

        assert waiting.result(timeout=30) == 200
    assert worker.pid == before


def test_nothing_is_left_behind_and_a_second_start_keeps_the_data() -> None:
    """Keys, tasks and counts outlive the processes."""
    with place() as folder:
        with Cluster(folder, free_ports()) as first:
            words = ("--scopes", "tasks:read,tasks:write", "--limit", "at most 3 in 1h per key")
            key = first.garrison("keys", "create", "demo", *words)
            assert ask(first.front, "POST", "/api/tasks", {"title": "stay"}, key=key).status == 201
            families = [process for part in first.parts for process in part.family]
        assert len(families) > len(first.parts)
        assert not any(map(alive, families))

        with Cluster(folder, free_ports()) as second:
            listed = ask(second.front, "GET", "/api/tasks", key=key)
            assert [task["title"] for task in listed.json["tasks"]] == ["stay"]
            assert [tasks(second.front, key) for _ in range(2)] == [200, 429]


@contextmanager
def running(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """`make cluster` and the processes that it says it has started."""
    command = [sys.executable, "-m", "tools.cluster", "--folder", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = list(takewhile(str.strip, process.stdout))
        yield process, [int(line.split()[2]) for line in lines[1:]]
    finally:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_command_ends_the_cluster(number: signal.Signals) -> None:
    """Ctrl-C in good order; and a terminal that is killed leaves no server behind either."""
    with place() as folder, running(folder, free_ports()[0]) as (process, started):
        assert len(started) == PORTS
        assert all(map(alive, started))

        process.send_signal(number)
        out, _ = process.communicate(timeout=60)

        until(lambda: not any(map(alive, started)), "all gone")
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        assert out.endswith("stopped\n") == (number != signal.SIGKILL)


def test_a_folder_has_one_cluster(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="already"):
        Cluster(cluster.folder, free_ports()).start()


def test_a_port_that_is_taken_is_named(cluster: Cluster) -> None:
    ports = free_ports()
    with place() as folder, pytest.raises(ClusterError, match=f"port {cluster.front.port}, for valkey, is taken"):
        Cluster(folder, (*ports[:-1], cluster.front.port)).start()


def test_a_missing_program_is_told_in_one_line() -> None:
    with pytest.raises(ClusterError, match="PostgreSQL is not installed"):
        programs.postgres("no-such-program")


def test_a_part_that_cannot_start_says_why(cluster: Cluster) -> None:
    """The last line of its log, and nothing of what was started before is left."""
    with place() as folder:
        broken = Cluster(folder, free_ports())
        broken.policy.mkdir()
        with pytest.raises(OSError, match="directory"):
            broken.start()
        assert not any(part.pid for part in broken.parts)


def test_secrets_are_drawn_for_each_cluster_and_are_the_owners_alone(cluster: Cluster) -> None:
    kept = list((cluster.folder / "secrets").iterdir())

    assert {path.name for path in kept} == {"root", "operator", "garrison", "tasks", "counters"}
    assert len({path.read_text() for path in kept}) == len(kept)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    told = [path.read_text() for path in (cluster.policy, cluster.folder / "nginx" / "nginx.conf")]
    told.append((cluster.folder / "valkey" / "valkey.conf").read_text())
    assert not any(path.read_text().strip() in text for path in kept for text in told)
