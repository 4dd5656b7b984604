"""What only a server of counters has: faults on the way, batches, processes, rights, memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes
from socket import AF_UNIX, socket
from subprocess import PIPE, Popen
from typing import Any

import pytest
from redis import Redis as Client

from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.stores.redis.counters import MOST_STEPS, Awaited, Driven, RedisCounters
from tests.stores.redis.server import KINDS, serving
from tests.stores.storm import surroundings

ONE = [Ask("somebody@example.com", parse("100/m"))]


@pytest.fixture(scope="module", params=KINDS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that these tests may set otherwise."""
    with serving(kind=request.param) as path:
        yield str(path)


@pytest.fixture
def admin(path: str) -> Iterator[Any]:
    """Somebody who may do everything there; what was set is set back."""
    client: Any = Client(unix_socket_path=path)
    client.execute_command("FLUSHALL")
    yield client
    client.execute_command("CONFIG", "SET", "maxmemory", "0")
    client.execute_command("REPLICAOF", "NO", "ONE")
    client.close()


@pytest.fixture
def link(path: str) -> Iterator[Driven]:
    """A driven link."""
    link = Driven(deadline=10, unix_socket_path=path)
    yield link
    link.close()


def test_a_key_names_nobody_and_ends(admin: Any, link: Driven) -> None:
    """Whoever reads the server, or guesses a subject and lacks the secret, learns of nobody."""
    for secret in (b"a", b"b"):
        drive(RedisCounters(link, secret, token_bytes).take(ONE))
    keys = admin.execute_command("KEYS", "*")
    assert len(keys) == 2
    for key in keys:
        assert key.startswith(b"garrison:{")
        assert b"somebody" not in key + admin.execute_command("GET", key)
        assert 60_000 < admin.execute_command("PTTL", key) <= 62_000


def test_a_subject_of_a_rate_takes_little_memory(admin: Any, link: Driven) -> None:
    """At most 110 bytes besides the letters of its key: Debian's allocator rounds key and value up to 64 each."""
    drive(RedisCounters(link, b"a", token_bytes).take(ONE))
    (key,) = admin.execute_command("KEYS", "*")
    assert 50 < admin.execute_command("MEMORY", "USAGE", key, "SAMPLES", "0") <= 110 + len(key)


def test_a_server_that_forgot_the_script_is_told_again(admin: Any, link: Driven) -> None:
    """And the step counts once."""
    counters = RedisCounters(link, b"a", token_bytes)
    assert drive(counters.take(ONE))[0].remaining == 99
    admin.execute_command("SCRIPT", "FLUSH")
    assert drive(counters.take(ONE))[0].remaining == 98


@pytest.mark.parametrize("fault", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1")])
def test_a_server_that_cannot_write_is_a_store_error(
    admin: Any, link: Driven, path: str, runner: asyncio.Runner, fault: tuple[str, ...]
) -> None:
    """OOM and READONLY, both ways; never the client's exception, and never a verdict."""
    admin.execute_command(*fault)
    with pytest.raises(StoreError, match="counters"):
        drive(RedisCounters(link, b"a", token_bytes).take(ONE))

    async def awaited() -> None:
        other = Awaited(deadline=10, unix_socket_path=path)
        try:
            await RedisCounters(other, b"a", token_bytes).take(ONE)
        finally:
            await other.close()

    with pytest.raises(StoreError, match="counters"):
        runner.run(awaited())


def test_a_server_that_says_nothing_is_a_store_error_in_time(tmp_path: Path, runner: asyncio.Runner) -> None:
    """And is asked once: what it may have counted is not asked again."""
    with socket(AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        link = Driven(deadline=0.01, unix_socket_path=str(tmp_path / "s"))
        with pytest.raises(StoreError, match="counters"):
            drive(RedisCounters(link, b"a", token_bytes).take(ONE))
        link.close()

        async def awaited() -> None:
            other = Awaited(deadline=0.01, unix_socket_path=str(tmp_path / "s"))
            counters = RedisCounters(other, b"a", token_bytes)
            said = await asyncio.gather(*[counters.take(ONE) for _ in range(3)], return_exceptions=True)
            assert [type(each) for each in said] == [StoreError] * 3
            await other.close()

        runner.run(awaited())
        calls = []
        for _ in range(2):
            near, _ = silent.accept()
            with near:
                calls.append(near.recv(100_000).count(b"EVALSHA"))
        assert calls == [1, 1]
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_no_server_is_a_store_error(tmp_path: Path) -> None:
    """Nobody listens."""
    link = Driven(unix_socket_path=str(tmp_path / "none"))
    with pytest.raises(StoreError, match="counters"):
        drive(RedisCounters(link, b"a", token_bytes).take(ONE))


def test_the_steps_of_one_turn_are_one_call(admin: Any, path: str, runner: asyncio.Runner) -> None:
    """Up to so many; each is decided on its own, and one that is given up leaves the others alone."""

    async def turn() -> None:
        link = Awaited(deadline=10, unix_socket_path=path)
        counters = RedisCounters(link, b"a", token_bytes)
        await counters.take(ONE)
        admin.execute_command("CONFIG", "RESETSTAT")
        takes = [asyncio.ensure_future(counters.take(ONE)) for _ in range(MOST_STEPS + 72)]
        await asyncio.sleep(0)
        takes[0].cancel()
        said = await asyncio.gather(*takes, return_exceptions=True)
        passed = [each for each in said if isinstance(each, list) and each[0].allowed]
        assert isinstance(said[0], asyncio.CancelledError)
        # One was spent before, and one by whoever gave up.
        assert len(passed) == 98
        await link.close()

    runner.run(turn())
    stats = admin.execute_command("INFO", "commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 2


_PROCESS = """
import sys
from secrets import token_bytes
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.stores.redis.counters import Driven, RedisCounters

link = Driven(deadline=10, unix_socket_path=sys.argv[1])
counters = RedisCounters(link, b"k", token_bytes)
asks = [Ask("all", parse(limit)) for limit in sys.argv[2:]]
print("ready", flush=True)
sys.stdin.readline()
print(sum(all(verdict.allowed for verdict in drive(counters.take(asks))) for _ in range(60)))
link.close()
"""


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("limits", [("100/d",), ("at most 100 in 1d", "1000/d"), ("100 per calendar month",)])
def test_processes_together_pass_exactly_the_limit(path: str, limits: tuple[str, ...]) -> None:
    """Three that ask 60 times each, at once."""
    command = [sys.executable, "-c", _PROCESS, path, *limits]
    crowd = [Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=surroundings()) for _ in range(3)]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert sum(int(process.communicate(timeout=60)[0]) for process in crowd) == 100


_LEASING = """
import sys
from secrets import token_bytes
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.redis.counters import Driven, RedisCounters

link, clock = Driven(deadline=10, unix_socket_path=sys.argv[1]), SystemClock()
counters = NearCounters(Near(MemoryCounters(clock), clock, 3), RedisCounters(link, b"k" * 32, token_bytes))
asks = [Ask("all", parse(sys.argv[2]))]
print("ready", flush=True)
sys.stdin.readline()
print(sum(drive(counters.take(asks))[0].allowed for _ in range(8_000)))
link.close()
"""


@pytest.mark.usefixtures("admin")
def test_processes_with_leases_pass_no_more_than_the_limit(path: str) -> None:
    """Three that ask 8,000 times each, at once; each may lose a lease that it held in a pause."""
    command = [sys.executable, "-c", _LEASING, path, "1/d burst 9000 fast"]
    crowd = [Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=surroundings()) for _ in range(3)]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    passed = sum(int(process.communicate("go\n", timeout=60)[0]) for process in crowd)

    assert 8_000 < passed <= 9_000


RIGHTS = ("~garrison:*", "-@all", "+evalsha", "+eval", "+script|load", "+time", "+get", "+set", "+ping")
"""What docs/how-to/limits.md has the operator write."""


def test_the_documented_user_is_enough_and_may_nothing_else(path: str, admin: Any, runner: asyncio.Runner) -> None:
    """Both ways, from a server that has the script no more; and nothing was refused on the way."""
    admin.execute_command("ACL", "SETUSER", "counters", "reset", "on", ">long-secret", *RIGHTS)
    admin.execute_command("ACL", "LOG", "RESET")
    user: dict[str, Any] = {"unix_socket_path": path, "username": "counters", "password": "long-secret"}
    link = Driven(deadline=10, **user)
    counters = RedisCounters(link, b"a", token_bytes)
    admin.execute_command("SCRIPT", "FLUSH")
    held = [Ask("s", parse("2 at once"))]
    lease = drive(counters.take([*ONE, *held]))[1].lease
    drive(counters.release([held[0]._replace(lease=lease)]))
    drive(counters.reset("s"))
    link.close()

    async def awaited() -> int:
        other = Awaited(deadline=10, **user)
        try:
            return (await RedisCounters(other, b"a", token_bytes).take(ONE))[0].remaining
        finally:
            await other.close()

    assert runner.run(awaited()) == 98
    assert admin.execute_command("ACL", "LOG") == []
    assert b"no permissions" in admin.execute_command("ACL", "DRYRUN", "counters", "GET", "other")
    assert b"no permissions" in admin.execute_command("ACL", "DRYRUN", "counters", "KEYS", "*")
