"""Reads of a loop: what is asked for in one turn of it goes as one question.

A busy loop asks for many keys, sessions and users at once. One by one each costs a message, a wake-up and a parse on
both sides; together they cost little more than one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import asyncpg

from garrison.errors import StoreError
from garrison.stores.postgres.connection import CONNECT, STATEMENT, escaped, numbered, unescaped
from garrison.stores.sql.fault import fault_of
from garrison.stores.sql.writer import CLOSED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

    from garrison.stores.postgres.connection import Place
    from garrison.stores.sql.table import Table

__all__ = ["CONNECTIONS", "Lookups"]

CONNECTIONS = 4
"""Connections of one loop at most; questions are put together, so more are seldom of use."""

_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class Lookups:
    """What the loops of a process ask."""

    def __init__(self, place: Place) -> None:
        """Open nothing yet."""
        self._place = place
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()
        self._closed = False

    async def get(self, table: Table, key: str) -> str | None:
        """Give the body of a record, or None.

        Raises:
            StoreError: The store could not answer.
        """
        return await self._here().get(table, key)

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Give the rows of a statement, with parameters `?1`.

        Raises:
            StoreError: The store could not answer.
        """
        rows = await self._here().fetch(numbered(statement), [escaped(value) for value in values])
        return [tuple(map(unescaped, row)) for row in rows]

    def renew(self) -> object:
        """Begin without connections; for a forked child, which keeps the parent's alive and unused."""
        kept, self._loops = self._loops, WeakKeyDictionary()
        return kept

    def close(self) -> None:
        """Close the connections of all loops."""
        self._closed = True
        for loop in list(self._loops.values()):
            loop.close()

    def _here(self) -> _Loop:
        if self._closed:
            raise StoreError(CLOSED)
        running = asyncio.get_running_loop()
        loop = self._loops.get(running)
        if loop is None:
            loop = self._loops[running] = _Loop(self._place)
        return loop


class _Loop:
    """What one loop asks."""

    __slots__ = ("_asked", "_asking", "_ending", "_lock", "_place", "_pool")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pool: Any = None
        self._ending: AsyncGenerator[None, None] | None = None
        self._lock = asyncio.Lock()
        self._asked: dict[Table, dict[str, list[asyncio.Future[str | None]]]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def get(self, table: Table, key: str) -> str | None:
        # Not kept: whoever keeps a loop keeps what is known of it for ever.
        loop = asyncio.get_running_loop()
        if not self._asked:
            task = loop.create_task(self._ask())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        # One for each who asks: whoever gives up takes the answer from nobody.
        answer: asyncio.Future[str | None] = loop.create_future()
        self._asked.setdefault(table, {}).setdefault(key, []).append(answer)
        return await answer

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[Any]:
        try:
            pool = self._pool or await self._connected()
            rows: list[Any] = await pool.fetch(statement, *values)
        except _FAULTS as error:
            raise fault_of("the store could not answer", error) from error
        return rows

    async def _ask(self) -> None:
        """Ask for all that was wanted in this turn, a question for each kind."""
        asked, self._asked = self._asked, {}
        for table, answers in asked.items():
            try:
                found = await self.fetch(f"SELECT key, body FROM {table.name} WHERE key = ANY($1)", [list(answers)])
            except BaseException as error:  # whatever it is, nobody may wait for ever
                failed = error if isinstance(error, StoreError) else fault_of("the store could not answer", error)
                for answer in _waiting(answers.values()):
                    answer.set_exception(failed)
                if not isinstance(error, Exception):
                    raise
            else:
                bodies = dict(found)
                for key, of_key in answers.items():
                    for answer in _waiting([of_key]):
                        answer.set_result(bodies.get(key))

    async def _connected(self) -> Any:
        async with self._lock:
            if self._pool is None:
                pool = await asyncpg.create_pool(
                    self._place.url,
                    password=self._place.password or None,
                    min_size=1,
                    max_size=CONNECTIONS,
                    timeout=CONNECT,
                    command_timeout=STATEMENT / 1_000,
                    server_settings={"application_name": "garrison"},
                )
                self._ending = _held(pool)
                await anext(self._ending)
                self._pool = pool
            return self._pool

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            # Its loop may have ended, and the connections with it.
            with suppress(RuntimeError, *_FAULTS):
                pool.terminate()


def _waiting(answers: Iterable[list[asyncio.Future[str | None]]]) -> Iterator[asyncio.Future[str | None]]:
    """Give the futures of those who have not given up."""
    return (answer for of_key in answers for answer in of_key if not answer.done())


async def _held(pool: Any) -> AsyncGenerator[None, None]:
    """Hold connections for as long as their loop runs: a loop that ends shuts its generators down first."""
    try:
        yield
    finally:
        pool.terminate()
        # The transports are closed in the loop's next turn.
        await asyncio.sleep(0)
