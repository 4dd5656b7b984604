"""Several processes on one port: the kernel hands each connection to one of them; one that dies is replaced."""

from __future__ import annotations

import logging
import os
import signal
import socket
from time import monotonic
from typing import TYPE_CHECKING

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from garrison.policy.schema import Policy

__all__ = ["LIVED", "check_workers", "supervise"]

LIVED = 1.0
"""Seconds that a worker has to live to be replaced: one that ends by itself at once would do so again, for ever."""

_log = logging.getLogger("garrison.serve")


def check_workers(policy: Policy, count: int) -> None:
    """See that so many processes can serve together.

    Raises:
        UsageError: Each would count, or keep its records, for itself.
    """
    if count == 1:
        return
    for field, url in (("counters", policy.stores.counters), ("records", policy.stores.records)):
        if url == "memory:":
            told = {"counters": '"records:"', "records": '"sqlite:PATH"'}[field]
            msg = f"{count} workers would each have {field} of their own; write {field} = {told} under [stores]"
            raise UsageError(msg)
    if not (hasattr(os, "fork") and hasattr(socket, "SO_REUSEPORT")):
        raise UsageError("several workers need a system that can fork and share a port")


def supervise(count: int, work: Callable[[int], None]) -> bool:
    """Run workers until this process is told to end; they end in good order first.

    Args:
        count: How many.
        work: Serves, in a process of its own; gets the number of the worker, from 0.

    Returns:
        Whether all went well; False: a worker died as soon as it was started.
    """
    workers = _Workers(work)
    before = [signal.signal(number, workers.told) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        for number in range(count):
            workers.start(number)
        return workers.wait()
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)


class _Workers:
    def __init__(self, work: Callable[[int], None]) -> None:
        self._work = work
        self._live: dict[int, tuple[int, float]] = {}
        self._ending = False

    def told(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on; two of them end the supervisor as well."""
        self._ending = self._ending or number != signal.SIGHUP
        for process in list(self._live):
            # Whoever is gone meanwhile is seen by `wait`.
            os.kill(process, number)

    def start(self, number: int) -> None:
        process = os.fork()
        if process:
            self._live[process] = number, monotonic()
            return
        code = 1
        try:
            for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(each, signal.SIG_DFL)
            self._work(number)
            code = 0
        except BaseException:
            _log.exception("worker %s ended", number)
        finally:
            os._exit(code)

    def wait(self) -> bool:
        well = True
        while self._live:
            process, status = os.wait()
            number, since = self._live.pop(process, (-1, 0.0))
            if number < 0 or self._ending:
                continue
            # Whoever was killed did not end for a reason that will be there again.
            if os.WIFEXITED(status) and monotonic() - since < LIVED:
                _log.error("worker %s died at once (%s); ending the others", number, status)
                well = False
                self.told(signal.SIGTERM, None)
            else:
                _log.warning("worker %s died (%s); starting another", number, status)
                self.start(number)
        return well
