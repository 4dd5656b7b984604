"""What do point lookups of many tasks cost when they are put together?

Rival: asyncpg's own pool, a question for each lookup, on the same server. Both at 50 tasks; processor time of the
client alone. Not measured: the server, a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import uvloop

from benchmarks.figure import Figure, compare, figure
from garrison.guard.drive import drive
from garrison.stores.postgres.lookups import CONNECTIONS
from garrison.stores.postgres.store import PostgresStore
from garrison.stores.protocols import Kind, Put, Record
from garrison.testing.clock import ManualClock
from tests.stores.postgres_server import postgres

__all__ = ["figures"]

_TASKS = 50
_KEYS = 20_000
_KEY = b"k" * 32


class _Thing(Record, frozen=True, kw_only=True):
    id: str
    owner: str = "user:ada"


_THING = Kind(name="thing", struct=_Thing)


async def _pool(url: str) -> Any:
    return await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)


def figures() -> list[Figure]:
    """Compare 50 lookups at once."""
    url = postgres().database()
    store = PostgresStore(url, ManualClock(), [_THING], _KEY)
    keys = [f"key{number:06}" for number in range(_KEYS)]
    for start in range(0, _KEYS, 1_000):
        drive(store.driven().commit([Put(_THING, _Thing(id=key)) for key in keys[start : start + 1_000]]))
    loop = uvloop.new_event_loop()
    pool = loop.run_until_complete(_pool(url))
    face, shape, wanted = store.awaited(), store.table(_THING).shape, keys[:: _KEYS // _TASKS]

    async def ours(key: str) -> Any:
        return await face.get(_THING, key)

    async def rival(key: str) -> Any:
        row = await pool.fetchrow("SELECT body FROM thing WHERE key = $1", key)
        return shape.decode(row["body"], key)

    def together(get: Callable[[str], Any]) -> Callable[[], object]:
        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*map(get, wanted))

        return lambda: loop.run_until_complete(all_of_them())

    times = compare(together(ours), together(rival), rounds=25, calls=10)
    loop.run_until_complete(pool.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    store.close()
    return [figure("PostgreSQL, 50 lookups at once, put together, against one by one", *times, bar=1 / 5)]
