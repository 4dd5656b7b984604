"""A policy at work: what is opened once for a process, whichever adapters stand before it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from garrison.crypto.ring import KeyRing
from garrison.guard.drive import drive
from garrison.runtime.correlate import Correlate
from garrison.runtime.jobs import Job, Jobs
from garrison.runtime.kinds import KINDS
from garrison.runtime.secrets import root_keys
from garrison.runtime.side import Side
from garrison.runtime.workers import ANNOUNCE, announce, leave
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.news import POLL, News
from garrison.stores.open import open_records

if TYPE_CHECKING:
    from garrison.credentials.authenticate import Authenticate
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.model.request import Request
    from garrison.policy.schema import Policy

__all__ = ["Runtime"]


class Runtime:
    """Stores, credentials, guard and jobs of one policy in one process."""

    def __init__(
        self,
        policy: Policy,
        path: Path | None,
        clock: Clock,
        randomness: Randomness,
        authenticate: Authenticate | None = None,
    ) -> None:
        """Open everything; use `garrison.runtime.compose.compose`.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
            StoreError: A store could not be opened.
        """
        self.policy = policy
        self.path = path
        self.clock = clock
        self.randomness = randomness
        self.authenticate = authenticate
        self.correlate = Correlate(randomness)
        self.ring = KeyRing(root_keys(policy, randomness))
        self.news = News(alone=policy.stores.records == "memory:")
        self.counters = MemoryCounters(clock, policy.stores.counter_keys)
        self.store = open_records(policy.stores.records, clock, KINDS, self.ring.key("audit-chain"))
        self._lock = RLock()
        self._jobs = Jobs(self._work(), clock)

    @cached_property
    def awaited_side(self) -> Side:
        """What ASGI adapters use."""
        return Side(self, self.store.awaited(), self.policy)

    @cached_property
    def driven_side(self) -> Side:
        """What WSGI adapters, jobs and the command line use."""
        return Side(self, self.store.driven(), self.policy)

    @property
    def awaited(self) -> Guard:
        """The guard for a loop."""
        return self.awaited_side.guard

    @property
    def driven(self) -> Guard:
        """The guard for threads."""
        return self.driven_side.guard

    def record(self, request: Request, decision: Decision, now: int) -> None:
        """Note a decision for the journal; never waits."""

    def read_file(self, name: str) -> bytes:
        """Read a file that the policy names, relative to the policy."""
        base = self.path.parent if self.path is not None else Path()
        return (base / name).read_bytes()

    def start(self) -> None:
        """Start the jobs, once per process."""
        self._jobs.start()

    def close(self) -> None:
        """End the jobs, write what is pending, and let go of the stores."""
        self._jobs.close()
        self.store.close()

    def _work(self) -> tuple[Job, ...]:
        return (Job("news", POLL, self._poll),)

    def _poll(self) -> None:
        drive(self.news.poll(self.driven_side.face, self.clock.wall(), self.clock.monotonic()))
