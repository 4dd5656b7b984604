"""Finds a store by its URL and loads only the one that is asked for."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING

from garrison.errors import UsageError
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.url import read, read_counters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Counters, Kind, Store

__all__ = ["SCHEMES", "open_counters", "open_records"]


def open_records(
    url: str,
    clock: Clock,
    kinds: Iterable[Kind],
    chain_key: bytes,
    *,
    old_chain_keys: Sequence[bytes] = (),
    password: str = "",
) -> Store:
    """Open the store for records and journal that a URL names.

    Args:
        url: `memory:`, `sqlite:var/garrison.db` or `postgresql://garrison@localhost/garrison`.
        clock: Wall time decides what has expired.
        kinds: Every kind the store will be asked for.
        chain_key: Key of the journal's chain, at least 32 bytes.
        old_chain_keys: Former ones, which still recognise what they sealed.
        password: Of the database's user, where it asks for one.

    Raises:
        UsageError: No store has this scheme, or the rest of the URL is wrong for it.
        StoreError: It cannot be opened.
    """
    scheme, rest = read(url)
    if scheme == "postgresql":
        from garrison.stores.postgres.store import PostgresStore

        return PostgresStore(url, clock, kinds, chain_key, old_chain_keys=old_chain_keys, password=password)
    return SCHEMES[scheme](rest, clock, kinds, chain_key, old_chain_keys)


def open_counters(
    url: str, clock: Clock, secret: bytes, *, password: str = "", processes: int = 1, randomness: Randomness = urandom
) -> Counters:
    """Open the counters that a URL names, for loops and threads alike.

    Args:
        url: `memory:`, or of a Redis or Valkey server: `redis://USER@localhost:6379`, `rediss://USER@HOST`, `unix:///PATH`;
            or of a cluster: `rediss+cluster://USER@HOST:PORT,HOST:PORT`.
        clock: Counts in memory, and tells how long a refusal is remembered.
        secret: Keys the hash that keys are named by, 1 to 64 bytes; the same in every process.
        password: Of the server's user, where it asks for one.
        processes: Most processes that count together.
        randomness: Numbers the places of concurrency limits.

    Raises:
        UsageError: It names no counters.
    """
    memory = MemoryCounters(clock)
    if read_counters(url) == "memory:":
        return memory
    if url == "records:":
        raise UsageError("counters in the records belong to a guard, whose policy says where those are")
    from garrison.stores.redis.opened import RedisServer

    return NearCounters(Near(memory, clock, processes), RedisServer(url, password, secret, randomness).either())


def _memory(_: str, clock: Clock, kinds: Iterable[Kind], chain_key: bytes, old_chain_keys: Sequence[bytes]) -> Store:
    from garrison.stores.memory.records import MemoryRecords

    del kinds, old_chain_keys  # made at first use; nothing is older than the process
    return MemoryRecords(clock, chain_key)


def _sqlite(rest: str, clock: Clock, kinds: Iterable[Kind], chain_key: bytes, old_chain_keys: Sequence[bytes]) -> Store:
    from garrison.stores.sqlite.store import SqliteStore

    return SqliteStore(rest, clock, kinds, chain_key, old_chain_keys=old_chain_keys)


SCHEMES: dict[str, Callable[[str, Clock, Iterable[Kind], bytes, Sequence[bytes]], Store]] = {
    "memory": _memory,
    "sqlite": _sqlite,
}
"""What opens the stores of each scheme."""
