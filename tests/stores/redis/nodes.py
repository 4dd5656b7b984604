"""A Redis or Valkey Cluster of the tests' own on loopback: three masters, and replicas if wanted; it keeps nothing."""

from __future__ import annotations

from atexit import register
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from secrets import randbelow
from socket import create_server
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from garrison.stores.redis.slots import SLOTS, Address
from tests.stores.redis.server import program
from tools.cluster.part import until

__all__ = ["Nodes", "cluster", "shared"]

_BUS = 1_000
"""How far the port that nodes talk on lies from the one that is asked."""


class Nodes:
    """The nodes of one cluster, by number: first the masters, then their replicas."""

    def __init__(self, folder: str, kind: str, ports: list[int]) -> None:
        """Start them; they do not know each other yet."""
        self.addresses = [Address("127.0.0.1", port) for port in ports]
        self.processes = []
        for port in ports:
            command = [program(kind), "--port", str(port), "--bind", "127.0.0.1", "--cluster-port", str(port + _BUS)]
            command += ["--cluster-enabled", "yes", "--cluster-config-file", f"{folder}/{port}.conf", "--dir", folder]
            command += ["--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"]
            command += ["--repl-diskless-sync-delay", "0", "--maxmemory", "64mb", "--save", "", "--appendonly", "no"]
            self.processes.append(Popen(command, stdout=DEVNULL, stderr=DEVNULL))

    def tell(self, number: int, *command: Any) -> Any:
        """Tell one node something, as somebody who may do everything."""
        client: Any = Redis(host="127.0.0.1", port=self.addresses[number].port, protocol=2)
        try:
            return client.execute_command(*command)
        finally:
            client.close()

    def tell_all(self, *command: Any) -> list[Any]:
        """Tell it to all that live."""
        return [self.tell(number, *command) for number in self.living]

    @property
    def living(self) -> list[int]:
        """Those whose process runs."""
        return [number for number, process in enumerate(self.processes) if process.poll() is None]

    def name(self, number: int) -> str:
        """Give what the cluster calls a node."""
        return str(self.tell(number, "CLUSTER MYID").decode())

    def join(self) -> None:
        """Let them meet, share the slots out among the masters, and wait until all of them know."""
        until(lambda: all(self._answers(number) for number in self.living), "the nodes answer")
        for number in range(3):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            self.tell(number, "CLUSTER", "ADDSLOTSRANGE", first, last)
        for address in self.addresses[1:]:
            self.tell(0, "CLUSTER", "MEET", *address, address.port + _BUS)
        until(lambda: all(len(self._known(number)) == len(self.addresses) for number in self.living), "they have met")
        for number in range(3, len(self.addresses)):
            self.tell(number, "CLUSTER", "REPLICATE", self.name(number - 3))
            until(partial(self._caught_up, number), "a replica has caught up")
        until(lambda: all(self._sound(number) for number in self.living), "the cluster is up")

    def kill(self, number: int) -> None:
        """End a node as a crash does."""
        self.processes[number].kill()
        self.processes[number].wait()

    def end(self) -> None:
        """End all of them."""
        for process in self.processes:
            process.kill()
            process.wait()

    def _answers(self, number: int) -> bool:
        assert self.processes[number].poll() is None, "a node ended at once; see tools/redis"
        with suppress(RedisError):
            return bool(self.tell(number, "PING"))
        return False

    def _known(self, number: int) -> list[str]:
        said = self.tell(number, "CLUSTER", "NODES").decode().splitlines()
        return [line for line in said if "handshake" not in line]

    def _caught_up(self, number: int) -> bool:
        said: dict[str, Any] = self.tell(number, "INFO", "replication")
        return said.get("master_link_status") == "up"

    def _sound(self, number: int) -> bool:
        return b"cluster_state:ok" in self.tell(number, "CLUSTER", "INFO") and len(self._slots(number)) == 3

    def _slots(self, number: int) -> list[Any]:
        found: list[Any] = self.tell(number, "CLUSTER", "SLOTS")
        return found


@contextmanager
def cluster(kind: str = "redis", *, replicas: int = 0) -> Iterator[Nodes]:
    """Start one and end it again."""
    with TemporaryDirectory(prefix="garrison-nodes-") as folder:
        nodes = Nodes(folder, kind, _free(3 + replicas))
        try:
            nodes.join()
            yield nodes
        finally:
            nodes.end()


@cache
def shared(kind: str = "redis") -> Nodes:
    """Give the cluster of a kind that all tests of this process share."""
    running = cluster(kind)
    nodes = running.__enter__()
    register(running.__exit__, None, None, None)
    return nodes


def _free(count: int) -> list[int]:
    """Find ports in a row that nobody listens on, nor on those of the bus."""
    while True:
        first = 10_000 + randbelow(18_000)
        ports = list(range(first, first + count))
        with suppress(OSError), ExitStack() as stack:
            for port in ports:
                stack.enter_context(create_server(("127.0.0.1", port)))
                stack.enter_context(create_server(("127.0.0.1", port + _BUS)))
            return ports
