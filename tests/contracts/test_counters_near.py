"""Counters that a process stands in front of keep the promises of the counters behind it."""

from __future__ import annotations

from secrets import token_bytes
from typing import ClassVar

from garrison.limits import parse
from garrison.model.units import DAY, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.near.denials import LONGEST
from garrison.stores.protocols import Counters
from garrison.stores.recorded import COUNTS, RecordCounters
from garrison.stores.redis.counters import Awaited, Driven, RedisCounters
from garrison.testing import CountersContract, ManualClock
from garrison.testing.counting.case import EVERY_LIMIT
from tests.stores.redis.server import socket

GENEROUS = 10.0
"""Seconds: what is tested here is not the deadline."""


class _InFront(CountersContract):
    """One of four processes; a refusal that is remembered notices a step of another clock a second late."""

    def in_front(self, shared: Counters, clock: ManualClock) -> Counters:
        """Stand in front of other counters."""
        return NearCounters(Near(MemoryCounters(clock), clock, 4), shared)

    def test_a_clock_set_back_grants_nothing_and_locks_nobody_out(self) -> None:
        """By any step; the wait is what a spent limit costs, and that second."""
        for back in (1, SECOND, DAY, 400 * DAY):
            for limit in map(parse, EVERY_LIMIT):
                self.afresh()
                self.clock.step(500 * DAY)
                self.spend_all(limit)
                self.clock.step(-back)
                assert self.spend_all(limit) == 0
                self.clock.advance(LONGEST)
                self.spend_all(limit)
                self.clock.advance(limit.drain)
                assert self.spend_all(limit) == limit.burst

    def test_a_clock_set_forward_grants_one_full_limit_at_most(self) -> None:
        """And that second is not granted."""
        for limit in map(parse, EVERY_LIMIT):
            self.afresh()
            self.spend_all(limit)
            self.clock.step(400 * DAY)
            first = self.spend_all(limit)
            self.clock.advance(LONGEST)
            assert limit.burst <= first + self.spend_all(limit) <= limit.burst + LONGEST * limit.count // limit.window


class TestDriven(_InFront):
    driven = True
    kind: ClassVar[str] = "redis"

    def setup_method(self) -> None:
        """Begin with no link."""
        self.links: list[Driven] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Close every link."""
        super().teardown_method()
        for link in self.links:
            link.close()

    def open(self, clock: ManualClock) -> Counters:
        """Under a secret of its own, so that no key is there yet."""
        self.links.append(Driven(deadline=GENEROUS, instant=clock.wall, unix_socket_path=socket(self.kind)))
        return self.in_front(RedisCounters(self.links[-1], token_bytes(32), token_bytes), clock)


class TestAwaited(_InFront):
    driven = False
    kind: ClassVar[str] = "redis"

    def setup_method(self) -> None:
        """Begin with no link."""
        self.links: list[Awaited] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Close every link within its loop."""
        for link in self.links:
            self.runner.run(link.close())
        super().teardown_method()

    def open(self, clock: ManualClock) -> Counters:
        """Under a secret of its own, so that no key is there yet."""
        self.links.append(Awaited(deadline=GENEROUS, instant=clock.wall, unix_socket_path=socket(self.kind)))
        return self.in_front(RedisCounters(self.links[-1], token_bytes(32), token_bytes), clock)


class TestValkeyDriven(TestDriven):
    kind = "valkey"


class TestValkeyAwaited(TestAwaited):
    kind = "valkey"


class TestRecordsDriven(_InFront):
    """Counters in the records store cost a commit each: what need not be asked is worth even more there."""

    driven = True

    def open(self, clock: ManualClock) -> Counters:
        """In memory."""
        store = MemoryRecords(clock, b"k" * 32)
        face = store.driven() if self.driven else store.awaited()
        return self.in_front(RecordCounters(face, clock, token_bytes, COUNTS), clock)


class TestRecordsAwaited(TestRecordsDriven):
    driven = False
