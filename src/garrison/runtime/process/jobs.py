"""Work beside the requests: polling news, flushing usage, cleaning up, in one daemon thread per process.

A job may die at any line; nothing it does is needed for a decision to be right, only for it to be quick.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from garrison.errors import GarrisonError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.model.clock import Clock

__all__ = ["Job", "Jobs"]

_log = logging.getLogger("garrison.jobs")

_TICK = 100_000
"""Microseconds between two looks at what is due; well below the shortest job's `every`."""


class Job(NamedTuple):
    """One kind of work."""

    name: str
    every: int
    """Microseconds between two runs; 0: never but at the end."""

    run: Callable[[], None]
    """Does it, blocking; may raise."""

    at_end: bool = False
    """Whether it runs once more at shutdown: a flush must, a poll need not."""


class Jobs:
    """The jobs of one process: a thread that is started once, and again after a fork."""

    def __init__(self, jobs: Sequence[Job], clock: Clock) -> None:
        """Keep the jobs; nothing runs before `start`."""
        self._jobs = tuple(jobs)
        self._clock = clock
        self._due = dict.fromkeys((job.name for job in jobs), 0)
        self._thread: threading.Thread | None = None
        self._process = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread unless it runs in this very process."""
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._loop, args=(self._stop,), name="garrison-jobs", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread, then run what must run at the end."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            thread.join()
        self._process = 0
        for job in self._jobs:
            if job.at_end:
                self._run(job)

    def run_due(self) -> None:
        """Run whatever is due now, in order."""
        for job in self._jobs:
            now = self._clock.monotonic()
            if job.every and now >= self._due[job.name]:
                self._due[job.name] = now + job.every
                self._run(job)

    def _loop(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.run_due()
            stop.wait(_TICK / 1_000_000)

    def _run(self, job: Job) -> None:
        try:
            job.run()
        except GarrisonError as fault:
            _log.warning("job %s failed: %s", job.name, fault)
        except Exception:
            _log.exception("job %s failed", job.name)
