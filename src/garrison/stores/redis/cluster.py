"""Counters of every process that shares a Redis or Valkey Cluster: each key on the node that has its slot.

Nodes are asked as a single server is, through links of their own; redis-py's own client of a cluster asks for COMMAND,
which the counters' user may not, and pauses for a quarter of a second when the cluster is down. Here a redirection is
followed, because nothing was played; whatever else goes wrong is a `StoreError`.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import AskError, ClusterError, MovedError

from garrison.errors import StoreError, UsageError
from garrison.limits import Ask, parse
from garrison.stores.redis.counters import DEADLINE, Calls
from garrison.stores.redis.node import AwaitedNode, DrivenNode
from garrison.stores.redis.script import play
from garrison.stores.redis.slots import Address, Slots, slot_of
from garrison.stores.redis.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from garrison.stores.redis.node import Node
    from garrison.stores.redis.script import Step

    Work = Coroutine[Any, Any, Sequence[int]]

__all__ = ["AwaitedCluster", "DrivenCluster"]

_HOPS: Final = 5
"""Redirections that a step follows; two are usual while a slot moves."""

_ROWS: Final = play("take", [Ask("", parse("1000000/s"))], b"", lambda _: b"")[0][1]
"""What must be written, so that a node that can only read does not pass for one that answers."""


class _Cluster:
    """What both ways of waiting share. A cluster answers when every node of it does that did not the last time."""

    def __init__(
        self,
        seeds: Sequence[Address],
        *,
        deadline: float = DEADLINE,
        instant: Callable[[], int] | None = None,
        calls: Calls | None = None,
        **connection: Any,
    ) -> None:
        """Prepare to connect; the first step does.

        Args:
            seeds: Nodes of the cluster, at least one; they name the others.
            deadline: Seconds that a step may take, as far as its way of waiting can see to it.
            instant: For tests: wall microseconds instead of the nodes' clocks.
            calls: Where calls are noted.
            connection: What `redis.Redis` takes: `username`, `password`, `ssl`.
        """
        self._seeds = seeds
        self._deadline = deadline
        self._ssl = bool(connection.get("ssl"))
        self._connection = {"deadline": deadline, "instant": instant, "calls": calls or Calls(), **connection}
        self._slots = Slots()
        self._stale = True
        self._links: dict[Address, Any] = {}
        self._doubts: dict[Address | None, bytes] = {}
        """Nodes that failed, and a key of theirs."""

        self._turn = 0

    async def send(self, step: Step) -> Sequence[int]:
        """Play a step, and give its figures.

        Raises:
            StoreError: A node did not answer within the deadline, or not with figures.
        """
        try:
            return await self._within(self._play(step))
        except (StoreError, OSError) as fault:
            for key in step[0]:
                self._doubts[self._slots.node(slot_of(key))] = key
            self._stale = True
            raise StoreError("counters") from fault

    async def _play(self, step: Step) -> Sequence[int]:
        until = perf_counter() + self._deadline
        if self._stale or self._doubts or not self._slots.nodes:
            await self._settle(until)
        keys = step[0]
        if len({slot_of(key) for key in keys}) < 2:
            return await self._at(step, until)
        return await spread(step, lambda steps: self._together([self._at(each, until) for each in steps]))

    async def _at(self, step: Step, until: float) -> Sequence[int]:
        """Play a step of one slot where that is; a redirection says that nothing was played."""
        slot = slot_of(step[0][0])
        node, asking = self._slots.node(slot), False
        for _ in range(_HOPS):
            if node is None or perf_counter() > until:
                break
            link = self._link(node)
            try:
                return await (link.asked(step) if asking else link.send(step))
            except StoreError as failed:
                told = failed.__cause__
                if not isinstance(told, AskError):
                    raise
                node, asking = Address(told.host or node.host, told.port), not isinstance(told, MovedError)
                if not asking:
                    self._slots.moved(slot, node)
                    self._stale = True
        raise StoreError("counters") from ClusterError(f"nobody in reach has slot {slot}")

    async def _settle(self, until: float) -> None:
        """Read which node has which slot; then have those that failed write something before anybody is trusted."""
        if self._stale or not self._slots.nodes:
            self._stale = False
            await self._read(until)
        for node, key in tuple(self._doubts.items()):
            await self._at(([key[: key.index(b"}") + 1] + b":p"], _ROWS), until)
            self._doubts.pop(node, None)

    async def _read(self, until: float) -> None:
        """Ask one node after the other, another one first each time: one that says nothing takes all the time."""
        places = list(dict.fromkeys([*sorted(self._slots.nodes - self._doubts.keys()), *self._seeds]))
        self._turn += 1
        first = self._turn % len(places)
        for place in places[first:] + places[:first]:
            if perf_counter() > until:
                break
            try:
                return self._slots.read(await self._link(place).slots(), place)
            except StoreError:
                continue
        raise StoreError("counters") from ClusterError("no node says which has which slot")

    def _link(self, node: Address) -> Node:
        """Give the link to a node, made at its first use."""
        link: Node | None = self._links.get(node)
        if link is None:
            if not self._ssl and not _is_here(node.host):
                # Whoever answers for a slot names the next node: the password does not go there for all to read.
                raise StoreError("counters") from UsageError(f"{node.host} is another machine; write rediss+cluster://")
            made: Node = self._links.setdefault(node, self._opened(node))
            return made
        return link

    def _opened(self, node: Address) -> Node:
        raise NotImplementedError

    async def _within(self, work: Work) -> Sequence[int]:
        raise NotImplementedError

    async def _together(self, works: Sequence[Work]) -> Sequence[Sequence[int] | BaseException]:
        raise NotImplementedError


class DrivenCluster(_Cluster):
    """One call after the other, from any thread; none is begun after the deadline, each may take as long as that."""

    def close(self) -> None:
        """Close every connection."""
        for link in tuple(self._links.values()):
            link.close()

    def _opened(self, node: Address) -> Node:
        return DrivenNode(host=node.host, port=node.port, **self._connection)

    async def _within(self, work: Work) -> Sequence[int]:
        return await work

    async def _together(self, works: Sequence[Work]) -> Sequence[Sequence[int] | BaseException]:
        said: list[Sequence[int] | BaseException] = []
        for work in works:
            try:
                said.append(await work)
            except StoreError as fault:
                said.append(fault)
        return said


class AwaitedCluster(_Cluster):
    """One message to each node for all steps of a turn of the loop; belongs to the loop that first sends."""

    async def close(self) -> None:
        """Wait for what is in flight, and close every connection."""
        for link in tuple(self._links.values()):
            await link.close()

    def _opened(self, node: Address) -> Node:
        return AwaitedNode(host=node.host, port=node.port, **self._connection)

    async def _within(self, work: Work) -> Sequence[int]:
        async with asyncio.timeout(self._deadline):
            return await work

    async def _together(self, works: Sequence[Work]) -> Sequence[Sequence[int] | BaseException]:
        return await asyncio.gather(*works, return_exceptions=True)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
