"""Where a policy has its limits counted: in memory, in the records store, or on a Redis or Valkey server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.runtime.process.secrets import read_password
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.recorded import RecordCounters

if TYPE_CHECKING:
    from garrison.crypto.ring import KeyRing
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.policy.schema import Stores
    from garrison.stores.protocols import Counters, Face
    from garrison.stores.redis.opened import RedisServer

__all__ = ["Counting"]


class Counting:
    """The counters of one process, for both ways of waiting."""

    def __init__(self, stores: Stores, clock: Clock, ring: KeyRing, randomness: Randomness) -> None:
        """Prepare to count; a server is asked at the first request.

        Raises:
            SecretError: The server's password is missing or readable by others.
        """
        self.memory = MemoryCounters(clock, stores.counter_keys)
        self._in_memory = stores.counters == "memory:"
        self._clock = clock
        self._randomness = randomness
        self._server: RedisServer | None = None
        if stores.counters not in {"memory:", "records:"}:
            from garrison.stores.redis.opened import RedisServer

            password = read_password(stores.counters_password) if stores.counters_password else ""
            self._server = RedisServer(stores.counters, password, ring.key("counters"), randomness)

    def over(self, face: Face, *, awaited: bool) -> Counters:
        """Give the counters for one way of waiting.

        Args:
            face: Of the records, for counters that are kept there.
            awaited: Whether a loop waits.
        """
        if self._server is not None:
            return self._server.awaited() if awaited else self._server.driven()
        return self.memory if self._in_memory else RecordCounters(face, self._clock, self._randomness)

    @property
    def answers(self) -> bool:
        """Whether the last question to the server was answered; True where there is none."""
        return self._server is None or self._server.answers

    def close(self) -> None:
        """Let go of the server."""
        if self._server is not None:
            self._server.close()
