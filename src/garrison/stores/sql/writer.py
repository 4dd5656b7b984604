"""The one thread of a process that writes: whatever waits while it writes goes into the next transaction.

So a hundred commits at once cost one flush to disk, and a lone one waits for nobody. Each is a savepoint of
its own inside the group: one that fails leaves the others alone, a database that fails ends them all.
A future is resolved after the transaction is durable, never before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.sealing import body_of
from garrison.stores.sql.fault import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.stores.sql.chain import Chain
    from garrison.stores.sql.dialect import Connection, Dialect

__all__ = ["BEHIND_DELAY", "BEHIND_EVENTS", "CLOSED", "MOST_BEHIND", "MOST_GROUPED", "RETRY_DELAY", "Writer"]

CLOSED = "the store is closed"

MOST_GROUPED = 256
"""Commits in one transaction."""

BEHIND_EVENTS = 100
"""Events written behind that are written at once, however young."""

BEHIND_DELAY = 0.1
"""Seconds after which events written behind are written, however few."""

RETRY_DELAY = 1.0
"""Seconds between two attempts to write behind when the database fails."""

MOST_BEHIND = 10_000
"""Events that wait for a failing database; more are counted and lost, and the journal says how many."""


class _Job:
    """Something to do inside a transaction."""

    __slots__ = ("bodies", "durable", "error", "future", "result", "work")

    def __init__(self, work: Callable[[Connection, int], Any], bodies: Sequence[bytes], *, durable: bool) -> None:
        self.work = work
        self.bodies = bodies
        self.durable = durable
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: Exception | None = None


_WAKE, _FULL, _STOP = object(), object(), object()
"""Events have begun to wait; so many wait that they are to be written now; the store is being closed."""


class Writer:
    """Takes work from any thread and does it in groups."""

    def __init__(
        self, connect: Callable[[], Connection], dialect: Dialect, chain: Chain, wall: Callable[[], int]
    ) -> None:
        """Start nothing yet; the thread begins with the first work.

        Args:
            connect: Opens the writing connection.
            dialect: How the database begins a transaction and fails.
            chain: Appends the events of a group.
            wall: Gives wall microseconds; decides what has expired when a group is written.
        """
        self._connect = connect
        self._dialect = dialect
        self._chain = chain
        self._wall = wall
        self._closed = False
        self._connection: Connection | None = None
        self.renew()

    def renew(self) -> object:
        """Begin anew in a forked child: what waits is the parent's to write."""
        kept, self._connection = self._connection, None
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._behind: deque[bytes] = deque()
        self._lost = 0
        self._armed = False
        self._due: float | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        return kept

    def hold(self) -> None:
        """Wait until nothing is being written, and keep it so; always in this order of locks."""
        self._writing.acquire()
        self._lock.acquire()

    def release(self) -> None:
        """Let writing go on."""
        self._lock.release()
        self._writing.release()

    def submit(
        self,
        work: Callable[[Connection, int], Any],
        bodies: Sequence[bytes] = (),
        *,
        durable: bool = True,
    ) -> Future[Any]:
        """Do something inside a write transaction.

        Args:
            work: Gets the connection and the instant; what it raises undoes what it did.
            bodies: Events to append if the work succeeds.
            durable: Whether the transaction must outlive a power cut.

        Returns:
            A future with what the work returned or raised, resolved after the transaction has ended.

        Raises:
            StoreError: The store is closed or cannot be opened.
        """
        job = _Job(work, bodies, durable=durable)
        with self._lock:
            self._ready()
            self._queue.put(job)
        return job.future

    def append(self, bodies: Sequence[bytes]) -> None:
        """Write events soon, in their order, in whatever transaction comes next.

        Raises:
            StoreError: The store is closed or cannot be opened.
        """
        with self._lock:
            self._ready()
            room = MOST_BEHIND - len(self._behind)
            self._behind.extend(bodies[:room])
            self._lost += max(0, len(bodies) - room)
            if not self._armed:
                self._armed = True
                self._queue.put(_WAKE)
            if len(self._behind) >= BEHIND_EVENTS > len(self._behind) - len(bodies):
                self._queue.put(_FULL)

    def trim(self, before: int, limit: int) -> Future[Any]:
        """Remove old events from the beginning of the chains; the future has how many."""
        return self.submit(lambda connection, _now: self._chain.trim(connection, before, limit))

    def close(self) -> None:
        """Write everything that waits, end the thread, close its connection."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            self._queue.put(_STOP)
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _ready(self) -> None:
        if self._closed:
            raise StoreError(CLOSED)
        if self._thread is None:
            self._connection = self._connect()
            self._thread = threading.Thread(
                target=self._run, args=(self._connection,), name="garrison-writer", daemon=True
            )
            self._thread.start()

    def _run(self, connection: Connection) -> None:
        stop = False
        while not stop:
            jobs, stop = self._collect()
            with self._writing:
                self._write(connection, jobs)
        connection.close()

    def _collect(self) -> tuple[list[_Job], bool]:
        """Wait for work, or until events have waited long enough; then take all there is."""
        jobs: list[_Job] = []
        item = self._next()
        while item is not None:
            if item is _STOP:
                return jobs, True
            if isinstance(item, _Job):
                jobs.append(item)
            if len(jobs) >= MOST_GROUPED or self._queue.empty():
                break
            item = self._queue.get()
        return jobs, False

    def _next(self) -> Any:
        while True:
            wait = None if self._due is None else max(0.0, self._due - time.monotonic())
            try:
                item = self._queue.get(timeout=wait)
            except Empty:
                return None
            if item is not _WAKE:
                return item
            if self._due is None:
                self._due = time.monotonic() + BEHIND_DELAY

    def _write(self, connection: Connection, jobs: Sequence[_Job]) -> None:
        jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        with self._lock:
            behind, lost = list(self._behind), self._lost
            self._behind.clear()
            self._lost, self._armed, self._due = 0, False, None
        if not jobs and not behind:
            return
        try:
            self._transact(connection, jobs, behind, lost)
        except Exception as error:  # whatever it is, nobody may wait for ever
            with suppress(self._dialect.error, StoreError):
                connection.execute("ROLLBACK")
            self._put_back(behind, lost)
            for job in jobs:
                job.future.set_exception(fault_of("the store could not write", error))
        else:
            for job in jobs:
                if job.error is not None:
                    job.future.set_exception(job.error)
                else:
                    job.future.set_result(job.result)

    def _put_back(self, behind: Sequence[bytes], lost: int) -> None:
        if not behind:
            return
        with self._lock:
            self._behind.extendleft(reversed(behind))
            self._lost += lost
            self._armed = True
            self._due = time.monotonic() + RETRY_DELAY

    def _transact(self, connection: Connection, jobs: Sequence[_Job], behind: Sequence[bytes], lost: int) -> None:
        execute, dialect = connection.execute, self._dialect
        for statement in dialect.begin[any(job.durable for job in jobs)]:
            execute(statement)
        now = self._wall()
        bodies = [*behind, _loss(lost, now)] if lost else list(behind)
        for job in jobs:
            execute("SAVEPOINT work")
            try:
                job.result = job.work(connection, now)
                bodies += job.bodies
            except Exception as error:
                if isinstance(error, dialect.error) and not isinstance(error, dialect.of_one):
                    raise
                execute("ROLLBACK TO work")
                job.error = fault_of("the store could not write", error) if isinstance(error, dialect.error) else error
            execute("RELEASE work")
        self._chain.extend(connection, bodies, now)
        execute("COMMIT")


def _loss(count: int, now: int) -> bytes:
    return body_of(Event(code="audit_events_lost", at=now, outcome="failed", severity="critical", count=count))
