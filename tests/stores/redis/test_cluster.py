"""What only a cluster has: slots that move, steps that lie on several nodes, rights, and masters that die."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes
from subprocess import PIPE, Popen
from typing import Any

import pytest

from garrison.errors import StoreError, UsageError
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.model.http.request import Request
from garrison.policy.load import load
from garrison.runtime.compose import compose
from garrison.stores.redis.cluster import AwaitedCluster, DrivenCluster
from garrison.stores.redis.counters import RedisCounters
from garrison.stores.redis.opened import connection_of, seeds_of
from garrison.stores.redis.script import key
from garrison.stores.redis.slots import Address, slot_of
from garrison.stores.url import read_counters
from tests.stores.redis.nodes import Nodes, cluster
from tests.stores.storm import surroundings
from tools.cluster.part import until

SECRET = b"k"
ONE = [Ask("somebody", parse("100/m"))]


def of_node(number: int, other: str = "") -> str:
    """Give a subject whose slot one of three masters has from the beginning, in another slot than another one's."""
    names = (f"s{count}" for count in range(10_000))
    slots = ((name, slot_of(key(SECRET, name))) for name in names if name != other)
    return next(name for name, slot in slots if slot * 3 // 16_384 == number)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A cluster that these tests may set otherwise."""
    with cluster() as nodes:
        yield nodes


@pytest.fixture
def link(nodes: Nodes) -> Iterator[DrivenCluster]:
    """A driven link that knows one node by its URL."""
    nodes.tell_all("FLUSHALL")
    link = DrivenCluster(nodes.addresses[:1], deadline=10)
    yield link
    link.close()


async def awaited(nodes: Nodes, asks: list[Ask], **user: Any) -> int:
    """Take once in a loop; gives what remains of the first."""
    link = AwaitedCluster(nodes.addresses[1:2], deadline=10, **user)
    try:
        return (await RedisCounters(link, SECRET, token_bytes).take(asks))[0].remaining
    finally:
        await link.close()


def test_a_slot_is_that_of_the_tag() -> None:
    """As the specification of the cluster computes it."""
    assert slot_of(b"garrison:{123456789}:c") == 0x31C3 % 16_384


def test_a_slot_that_moved_is_followed_and_counts_once(
    nodes: Nodes, link: DrivenCluster, runner: asyncio.Runner
) -> None:
    """First asked for on the way (ASK), then where it is (MOVED); each step counts once."""
    counters, subject = RedisCounters(link, SECRET, token_bytes), of_node(0)
    asks, slot = [Ask(subject, parse("100/m"))], slot_of(key(SECRET, subject))
    drive(counters.take([Ask(of_node(0, subject), parse("1/m"))]))
    nodes.tell(2, "CLUSTER", "SETSLOT", slot, "IMPORTING", nodes.name(0))
    nodes.tell(0, "CLUSTER", "SETSLOT", slot, "MIGRATING", nodes.name(2))
    assert drive(counters.take(asks))[0].remaining == 99
    assert runner.run(awaited(nodes, asks)) == 98

    for number in (2, 0, 1):
        nodes.tell(number, "CLUSTER", "SETSLOT", slot, "NODE", nodes.name(2))

    assert drive(counters.take(asks))[0].remaining == 97
    assert runner.run(awaited(nodes, asks)) == 96
    for number in (2, 0, 1):
        nodes.tell(number, "FLUSHALL")
        nodes.tell(number, "CLUSTER", "SETSLOT", slot, "NODE", nodes.name(0))


def test_nodes_that_forgot_the_script_are_told_again(nodes: Nodes, link: DrivenCluster, runner: asyncio.Runner) -> None:
    """Both ways, and the step counts once on each."""
    counters, asks = RedisCounters(link, SECRET, token_bytes), [Ask(of_node(each), parse("100/m")) for each in range(3)]
    assert [verdict.remaining for verdict in drive(counters.take(asks))] == [99] * 3
    nodes.tell_all("SCRIPT", "FLUSH")
    assert [verdict.remaining for verdict in drive(counters.take(asks))] == [98] * 3
    nodes.tell_all("SCRIPT", "FLUSH")
    assert runner.run(awaited(nodes, asks)) == 97


_PROCESS = """
import sys
from secrets import token_bytes
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.stores.redis.cluster import DrivenCluster
from garrison.stores.redis.counters import RedisCounters
from garrison.stores.redis.slots import Address

link = DrivenCluster([Address("127.0.0.1", int(sys.argv[1]))], deadline=10)
counters = RedisCounters(link, b"k", token_bytes)
tight, wide, mine = sys.argv[2:]
asks = [Ask(wide, parse("1000/d")), Ask(tight, parse("at most 90 in 1d")), Ask(mine, parse("3 at once"))]
print("ready", flush=True)
sys.stdin.readline()
passed = 0
for _ in range(60):
    verdicts = drive(counters.take(asks))
    if all(verdict.allowed for verdict in verdicts):
        passed += 1
        drive(counters.release([asks[2]._replace(lease=verdicts[2].lease)]))
print(passed)
link.close()
"""


def test_processes_on_several_nodes_pass_exactly_the_limit(nodes: Nodes, link: DrivenCluster) -> None:
    """Three that ask 60 times each, at once: what is refused on one node is kept on no other."""
    wide, tight = of_node(0), of_node(1)
    mine = ["m1", "m2", "m3"]
    port = str(nodes.addresses[2].port)
    crowd = [
        Popen(
            [sys.executable, "-c", _PROCESS, port, tight, wide, each],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
            env=surroundings(),
        )
        for each in mine
    ]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert sum(int(process.communicate(timeout=60)[0]) for process in crowd) == 90
    counters = RedisCounters(link, SECRET, token_bytes)
    (left,) = drive(counters.peek([Ask(wide, parse("1000/d"), 0)]))
    # A step that is overtaken loses what comes back between the spending and the giving back: less than one.
    assert 908 <= left.remaining <= 910
    assert [drive(counters.peek([Ask(each, parse("3 at once"), 0)]))[0].remaining for each in mine] == [3] * 3


RIGHTS = ("~garrison:*", "-@all", "+evalsha", "+eval", "+script|load", "+time", "+get", "+set", "+ping")
CLUSTER = ("+cluster|slots", "+cluster|shards", "+asking")
"""What docs/how-to/limits.md has the operator write."""


def test_the_documented_user_is_enough_and_may_nothing_else(nodes: Nodes, runner: asyncio.Runner) -> None:
    """Both ways, on nodes that have the script no more; and nothing was refused on the way."""
    nodes.tell_all("ACL", "SETUSER", "counters", "reset", "on", ">long-secret", *RIGHTS, *CLUSTER)
    nodes.tell_all("ACL", "LOG", "RESET")
    nodes.tell_all("SCRIPT", "FLUSH")
    user: dict[str, Any] = {"username": "counters", "password": "long-secret"}
    link, asks = DrivenCluster(nodes.addresses[:1], deadline=10, **user), [Ask(of_node(1), parse("9/d"))]
    counters = RedisCounters(link, SECRET, token_bytes)
    before = drive(counters.take([*asks, Ask(of_node(2), parse("9/d"))]))[0].remaining
    drive(counters.reset(of_node(2)))
    link.close()
    nodes.tell_all("SCRIPT", "FLUSH")
    assert runner.run(awaited(nodes, asks, **user)) == before - 1
    assert nodes.tell_all("ACL", "LOG") == [[], [], []]
    said = nodes.tell(0, "ACL", "DRYRUN", "counters", "CLUSTER", "NODES")
    assert b"no permissions" in said


FAILING = """
hosts = ["api.example.com"]
[stores]
records = "sqlite:{folder}/x.db"
counters = "redis+cluster://{hosts}"
[routes]
"GET /open" = {{ public = true, limit = "at most 9 in 1h" }}
"GET /local" = {{ public = true, limit = "at most 9 in 1h else local" }}
"GET /closed" = {{ public = true, limit = "at most 9 in 1h else closed" }}
"""


def asked(worker: Any, path: str, peer: str) -> Decision:
    """Ask a worker."""
    request = Request("GET", path, [(b"host", b"api.example.com")], raw_path=path.encode(), peer=peer)
    decision: Decision = drive(worker.driven.decide(request))
    return decision


def test_limits_go_on_while_a_master_is_dead_and_come_back_with_its_replica(tmp_path: Path) -> None:
    """Whatever node a subject lies on, meanwhile each limit does what it says: there is one breaker for the cluster."""
    with cluster(replicas=3) as nodes:
        hosts = ",".join(f"{host}:{port}" for host, port in nodes.addresses[:3])
        worker = compose(load(FAILING.format(folder=tmp_path, hosts=hosts), "development"))
        peers = [f"192.0.2.{number}" for number in range(12)]
        until(lambda: asked(worker, "/open", peers[0]).refusal is None, "it counts")
        nodes.kill(0)
        for peer in peers:
            asked(worker, "/open", peer)
        assert worker.stores()["counters"] == "failed: counted in records"
        for path, status in {"/open": 429, "/local": 200, "/closed": 503}.items():
            refusal = asked(worker, path, peers[1]).refusal
            assert (refusal.status if refusal else 200) == status

        def healed() -> bool:
            worker.counting.heal()
            return bool(worker.stores()["counters"] == "ok")

        until(healed, "a replica took over")
        assert [asked(worker, "/closed", peer).refusal for peer in peers] == [None] * 12
        worker.close()


def test_a_cluster_without_a_master_is_a_store_error_until_it_has_one(runner: asyncio.Runner) -> None:
    """For every step, wherever its slot is: who answers meanwhile is not asked what another one cannot be told."""
    with cluster() as nodes:
        link = DrivenCluster(nodes.addresses[1:], deadline=10)
        counters = RedisCounters(link, SECRET, token_bytes)
        drive(counters.take([Ask(of_node(1), parse("9/d"))]))
        nodes.kill(0)
        for subject in (of_node(0), of_node(1)):
            with pytest.raises(StoreError, match="counters"):
                drive(counters.take([Ask(subject, parse("9/d"))]))
        with pytest.raises(StoreError, match="counters"):
            runner.run(awaited(nodes, [Ask(of_node(0), parse("9/d"))]))
        link.close()


def test_a_node_elsewhere_is_not_told_the_password_in_the_clear() -> None:
    """Whoever answers for a slot names the next node."""
    link = DrivenCluster([Address("192.0.2.1", 6379)], password="hush")
    with pytest.raises(StoreError, match="counters"):
        drive(RedisCounters(link, SECRET, token_bytes).take(ONE))


def test_a_url_names_some_nodes_of_a_cluster() -> None:
    url = "rediss+cluster://garrison@a.example.com:7000,b.example.com,[::1]:7001"
    assert read_counters(url) == url
    assert seeds_of(url) == [("a.example.com", 7000), ("b.example.com", 6379), ("::1", 7001)]
    assert seeds_of("redis://localhost") == []
    tls = connection_of(url, "x")
    assert (tls["username"], tls["password"], tls["ssl"], "host" in tls) == ("garrison", "x", True, False)


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://localhost,cache.example.com",
        "rediss+cluster://u:hush@h",
        "rediss+cluster://h,",
        "rediss+cluster://",
    ],
)
def test_a_url_of_a_cluster_that_is_wrong_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="write") as caught:
        read_counters(url)
    assert "hush" not in str(caught.value)
