"""Refuse a second worker where each would count for itself.

Two processes with counters in memory let everybody do twice what the policy says, silently. So every serving
process announces itself in the records store, and one that finds another alive refuses to start.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from garrison.errors import PolicyError, Problem
from garrison.model.units import SECOND
from garrison.stores.protocols import Drop, Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.stores.protocols import Records

__all__ = ["ANNOUNCE", "SILENT", "WORKERS", "Worker", "announce", "leave"]

ANNOUNCE = SECOND
"""Microseconds between two announcements."""

SILENT = 3 * SECOND
"""Microseconds after which a worker of another machine that is not heard of counts as gone."""


class Worker(Record, frozen=True, kw_only=True):
    """One serving process."""

    id: str
    """Machine and process number."""

    machine: str
    process: int
    seen: int
    """When it last said that it lives, wall microseconds."""

    until: int
    """When the record may be cleaned up."""


WORKERS = Kind(name="workers", struct=Worker, expires="until")


async def announce(records: Records, now: int, *, alone: bool) -> None:
    """Say that this process serves.

    Args:
        records: Where every worker of the deployment announces itself.
        now: Wall microseconds.
        alone: Whether it must be the only one.

    Raises:
        PolicyError: It must be, and another one lives.
        StoreError: The store could not answer.
    """
    machine, process = socket.gethostname(), os.getpid()
    if alone:
        _refuse_others(await records.find(WORKERS, "", ""), machine, process, now)
    name = f"{machine}:{process}"
    known = await records.get(WORKERS, name)
    version = known.version if known is not None else 0
    worker = Worker(id=name, machine=machine, process=process, seen=now, until=now + 10 * SILENT, version=version)
    await records.commit([Put(WORKERS, worker)])


async def leave(records: Records) -> None:
    """Say that this process serves no longer."""
    await records.commit([Drop(WORKERS, f"{socket.gethostname()}:{os.getpid()}")])


def _refuse_others(workers: Sequence[Worker], machine: str, process: int, now: int) -> None:
    for worker in workers:
        mine = worker.machine == machine
        if (mine and worker.process == process) or not (_lives(worker.process) if mine else now - worker.seen < SILENT):
            continue
        raise PolicyError(
            [
                Problem(
                    rule="GP900",
                    path="stores.counters",
                    line=0,
                    text=f"process {worker.process} on {worker.machine} serves the same records, and counters in "
                    "memory would let every caller do twice what the limits say",
                    remedy='Write counters = "records:" under [stores], or stop the other one; tests have records of '
                    "their own with garrison.testing.own_state()",
                )
            ]
        )


def _lives(process: int) -> bool:
    """Signal 0 asks whether a process exists and does nothing to it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
