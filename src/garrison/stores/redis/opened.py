"""A Redis or Valkey server or cluster by its URL: counters for every loop of a process, and for its threads."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from garrison.stores.redis.cluster import AwaitedCluster, DrivenCluster
from garrison.stores.redis.counters import Awaited, Calls, Driven, RedisCounters
from garrison.stores.redis.slots import Address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from garrison.model.ids import Randomness
    from garrison.stores.redis.counters import Link
    from garrison.stores.redis.script import Step

    _Awaited = Awaited | AwaitedCluster

__all__ = ["RedisServer", "connection_of", "seeds_of"]

_PORT = 6379
_CLUSTER = "+cluster"


class RedisServer:
    """One server or cluster, as a process uses it."""

    def __init__(self, url: str, password: str, secret: bytes, randomness: Randomness) -> None:
        """Prepare to connect.

        Args:
            url: As `garrison.stores.url.read_counters` takes it.
            password: Of the user in the URL; empty: none is asked for.
            secret: Keys the hash that keys are named by; the same in every process.
            randomness: Numbers leases.
        """
        connection = connection_of(url, password)
        self.calls = Calls()
        seeds = seeds_of(url)
        if seeds:
            self._threads: Driven | DrivenCluster = DrivenCluster(seeds, calls=self.calls, **connection)
            self._loops = _Loops(partial(AwaitedCluster, seeds, calls=self.calls, **connection))
        else:
            self._threads = Driven(calls=self.calls, **connection)
            self._loops = _Loops(partial(Awaited, calls=self.calls, **connection))
        self._secret = secret
        self._randomness = randomness

    def driven(self) -> RedisCounters:
        """Give the counters for threads."""
        return self._counters(self._threads)

    def awaited(self) -> RedisCounters:
        """Give the counters for loops, as many as there are."""
        return self._counters(self._loops)

    def either(self) -> RedisCounters:
        """Give the counters for both: awaited where a loop runs, and blocking where none does."""
        return self._counters(_Either(self._loops, self._threads))

    def close(self) -> None:
        """Close the connections of threads; those of a loop end with it."""
        self._threads.close()

    def _counters(self, link: Link) -> RedisCounters:
        return RedisCounters(link, self._secret, self._randomness)


class _Loops:
    """A link for each loop, for as long as it runs."""

    def __init__(self, opened: Callable[[], _Awaited]) -> None:
        self._opened = opened
        self._links: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[_Awaited, object]] = WeakKeyDictionary()

    async def send(self, step: Step) -> Sequence[int]:
        loop = asyncio.get_running_loop()
        known = self._links.get(loop)
        if known is None:
            link = self._opened()
            ending = _held(link)
            await anext(ending)
            known = self._links.setdefault(loop, (link, ending))
        return await known[0].send(step)


class _Either:
    """The link of the loop that runs, or that of threads."""

    def __init__(self, loops: Link, threads: Link) -> None:
        self._loops = loops
        self._threads = threads

    async def send(self, step: Step) -> Sequence[int]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return await self._threads.send(step)
        return await self._loops.send(step)


async def _held(link: _Awaited) -> AsyncGenerator[None, None]:
    """Hold a link for as long as its loop runs: a loop that ends shuts its generators down first."""
    try:
        yield
    finally:
        await link.close()


def connection_of(url: str, password: str = "") -> dict[str, Any]:
    """Write a URL as the client takes it, but for the nodes of a cluster."""
    parts = urlsplit(url)
    found: dict[str, Any] = {"username": unquote(parts.username or "") or None, "password": password or None}
    if parts.scheme == "unix":
        return {**found, "unix_socket_path": parts.path}
    if not parts.scheme.endswith(_CLUSTER):
        found |= {"host": parts.hostname or "localhost", "port": parts.port or _PORT}
    return {**found, "ssl": True, "ssl_check_hostname": True} if parts.scheme.startswith("rediss") else found


def seeds_of(url: str) -> list[Address]:
    """Read which nodes of a cluster a URL names; none where it names a single server."""
    parts = urlsplit(url)
    if not parts.scheme.endswith(_CLUSTER):
        return []
    nodes = [urlsplit(f"//{node}") for node in parts.netloc.rpartition("@")[2].split(",")]
    return [Address(node.hostname or "localhost", node.port or _PORT) for node in nodes]
