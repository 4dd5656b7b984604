"""What do refusals and leases that a process decides by itself save, where several share a counter in Redis?

The rival is ourselves without anything in front of the server. Four processes on this machine's cores, driven, each
asking for one subject as often as it can for some seconds: under attack (nearly all refused) and while nearly all pass.
The processor time is that of the processes and of the server. Some lines are no times: the calls that a server got
under attack, what passed against what the limit allows, and how long a decision takes while a server says nothing.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, socket
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from redis import Redis

from benchmarks.figure import Figure, figure
from benchmarks.limits.hot import PROCESSES, Take, counters
from garrison.errors import StoreError
from garrison.limits import Ask, parse
from garrison.stores.redis.counters import DEADLINE, Driven
from tests.stores.redis.server import serving

__all__ = ["figures"]

_SECONDS = 3
_ATTACKED = "100/s"
_SPENT = "1/h burst 1000"
_HOT = "200000/s"


def figures() -> list[Figure]:
    """Measure an attack, a hot key, and a silence."""
    with serving() as path:
        return [*_attack(str(path)), _hot(str(path)), *_silence()]


def _attack(path: str) -> list[Figure]:
    """Four processes against one limit that is spent many times over."""
    near, direct = (_crowd(path, f"{_ATTACKED} as {how}", how) for how in ("near", "direct"))
    spent = _crowd(path, _SPENT, "near")
    each = [told["cpu"] / told["checks"] * 1e6 for told in (near, direct)]
    return [
        figure("a request under attack by four processes, decided there, against asking Redis", *each, bar=1 / 100),
        figure("calls of Redis under attack, against checks", near["calls"], near["checks"], bar=1 / 1000),
        figure("passed under attack, against what the limit allows", spent["passed"], parse(_SPENT).burst, bar=1),
        figure("passed under attack, at least", spent["passed"], parse(_SPENT).burst, bar=1, least=True),
    ]


def _hot(path: str) -> Figure:
    """Four processes, of which nearly every request passes."""
    limits = {"near": f"{_HOT} as near fast", "direct": f"{_HOT} as direct"}
    ours, rival = (_crowd(path, limit, how) for how, limit in limits.items())
    each = [told["cpu"] / told["passed"] * 1e6 for told in (ours, rival)]
    return figure("a request that passes on a hot key of four processes, leases against direct", *each, bar=1 / 8)


def _silence() -> list[Figure]:
    """The slowest decision of thirty while a server takes questions and answers none."""
    found = []
    for limit in ("9/s else closed", "9/s else local"):
        with TemporaryDirectory() as folder, socket(AF_UNIX) as silent:
            silent.bind(path := str(Path(folder) / "s"))
            silent.listen()
            link = Driven(unix_socket_path=path)
            take = counters(link, near=True)
            slowest = max(_waited(take, limit) for _ in range(30))
            link.close()
        name = f"slowest of 30 decisions by {limit!r} while Redis is silent, ms, against the deadline + 5"
        found.append(figure(name, slowest, DEADLINE * 1e3 + 5, bar=1))
    return found


def _waited(take: Take, limit: str) -> float:
    begun = perf_counter()
    with suppress(StoreError):
        take((Ask("silence", parse(limit)),))
    return (perf_counter() - begun) * 1e3


def _crowd(path: str, limit: str, how: str) -> dict[str, float]:
    """Let all processes ask at once; gives the sums of what they tell, and the server's share."""
    command = [sys.executable, "-m", "benchmarks.limits.hot", path, limit, str(_SECONDS), how]
    crowd = [Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(PROCESSES)]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    before = _server(path)
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=60)[0]) for process in crowd]
    after = _server(path)
    sums = {name: sum(each[name] for each in told) for name in told[0]}
    return {**sums, "cpu": sums["cpu"] + after[0] - before[0], "calls": after[1] - before[1]}


def _server(path: str) -> tuple[float, int]:
    """Tell the server's processor time and the steps it played."""
    client: Any = Redis(unix_socket_path=path)
    said = client.execute_command("INFO", "cpu") | client.execute_command("INFO", "commandstats")
    client.close()
    return said["used_cpu_user"] + said["used_cpu_sys"], said["cmdstat_evalsha"]["calls"]
