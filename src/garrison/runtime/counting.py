"""Where a policy has its limits counted: in memory, in the records store, or on a Redis or Valkey server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.drive import drive
from garrison.model.metric import Metric, Sample, single
from garrison.runtime.process.secrets import read_password
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.recorded import MEANWHILE, RecordCounters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.crypto.ring import KeyRing
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Policy
    from garrison.stores.protocols import Counters, Face
    from garrison.stores.redis.counters import Calls
    from garrison.stores.redis.opened import RedisServer

__all__ = ["Counting"]


class Counting:
    """The counters of one process, for both ways of waiting."""

    def __init__(self, policy: Policy, clock: Clock, ring: KeyRing, randomness: Randomness) -> None:
        """Prepare to count; a server is asked at the first request.

        Raises:
            SecretError: The server's password is missing or readable by others.
        """
        stores = policy.stores
        self.memory = MemoryCounters(clock, stores.counter_keys)
        self.near = Near(self.memory, clock, _processes(policy))
        self._in_memory = stores.counters == "memory:"
        self._spared = stores.records != "memory:"
        self._clock = clock
        self._randomness = randomness
        self._driven: NearCounters | None = None
        self._server: RedisServer | None = None
        if stores.counters not in {"memory:", "records:"}:
            from garrison.stores.redis.opened import RedisServer

            password = read_password(stores.counters_password) if stores.counters_password else ""
            self._server = RedisServer(stores.counters, password, ring.key("counters"), randomness)

    def over(self, face: Face, *, awaited: bool) -> Counters:
        """Give the counters for one way of waiting.

        Args:
            face: Of the records, for counters that are kept there, always or meanwhile.
            awaited: Whether a loop waits.
        """
        if self._in_memory:
            return self.memory
        counters = NearCounters(self.near, *self._behind(face, awaited=awaited))
        if not awaited:
            self._driven = counters
        return counters

    def _behind(self, face: Face, *, awaited: bool) -> tuple[Counters, RecordCounters | None]:
        """Give the shared counters, and those that stand in for them."""
        if self._server is None:
            return RecordCounters(face, self._clock, self._randomness), None
        shared = self._server.awaited() if awaited else self._server.driven()
        return shared, self._meanwhile(face) if self._spared else None

    def _meanwhile(self, face: Face) -> RecordCounters:
        breaker = self.near.breaker
        return RecordCounters(face, self._clock, self._randomness, MEANWHILE, lambda: breaker.since)

    @property
    def state(self) -> str:
        """`ok`, or `failed` and what becomes of requests meanwhile."""
        if not self.near.breaker.faults:
            return "ok"
        return "failed: counted in records" if self._server is not None and self._spared else "failed: closed"

    def metrics(self) -> Iterator[Metric]:
        """Tell what is counted where, and how long a server takes."""
        near = self.near
        yield single("garrison_counters", "gauge", "Counters of limits in memory.", self.memory.live)
        if self._in_memory:
            return
        by = {"denials": near.denials.told, "leases": near.leases.told, **near.told}
        steps = tuple(Sample(count, (("by", name),)) for name, count in by.items())
        yield Metric("garrison_limit_steps_total", "counter", "Steps of limits, by what decided them.", steps)
        left_alone = "1 while the shared counters are left alone because they did not answer."
        yield single("garrison_counters_breaker_open", "gauge", left_alone, near.breaker.open)
        if self._server is not None:
            yield from self._of_server(self._server.calls)

    def _of_server(self, calls: Calls) -> Iterator[Metric]:
        seconds, steps = tuple(calls.seconds.samples()), tuple(calls.steps.samples())
        yield Metric("garrison_counters_call_seconds", "histogram", "How long the server took to answer.", seconds)
        yield Metric("garrison_counters_call_steps", "histogram", "Steps that went in one call.", steps)
        yield single("garrison_counters_calls_failed_total", "counter", "Calls without an answer.", calls.failed)

    def heal(self) -> None:
        """Ask counters that did not answer again, and tell them what was counted meanwhile; for a job."""
        if self._driven is not None:
            drive(self._driven.heal())

    def close(self) -> None:
        """Let go of the server."""
        if self._server is not None:
            self._server.close()


def _processes(policy: Policy) -> int:
    """Tell how many processes count together at most."""
    return policy.stores.processes or policy.workers
