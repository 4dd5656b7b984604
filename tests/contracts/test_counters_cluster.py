"""Counters in a cluster of Redis or Valkey keep the promises of counters, though a step lies on several nodes."""

from __future__ import annotations

from secrets import token_bytes
from typing import ClassVar

from garrison.stores.protocols import Counters
from garrison.stores.redis.cluster import AwaitedCluster, DrivenCluster
from garrison.stores.redis.counters import RedisCounters
from garrison.testing import CountersContract, ManualClock
from tests.stores.redis.nodes import shared

GENEROUS = 10.0
"""Seconds: what is tested here is not the deadline."""


class TestDriven(CountersContract):
    driven = True
    kind: ClassVar[str] = "redis"

    def setup_method(self) -> None:
        """Begin with no link."""
        self.links: list[DrivenCluster] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Close every link."""
        super().teardown_method()
        for link in self.links:
            link.close()

    def open(self, clock: ManualClock) -> Counters:
        """Under a secret of its own, so that no key is there yet."""
        self.links.append(DrivenCluster(shared(self.kind).addresses, deadline=GENEROUS, instant=clock.wall))
        return RedisCounters(self.links[-1], token_bytes(32), token_bytes)


class TestAwaited(CountersContract):
    driven = False
    kind: ClassVar[str] = "redis"

    def setup_method(self) -> None:
        """Begin with no link."""
        self.links: list[AwaitedCluster] = []
        super().setup_method()

    def teardown_method(self) -> None:
        """Close every link within its loop."""
        for link in self.links:
            self.runner.run(link.close())
        super().teardown_method()

    def open(self, clock: ManualClock) -> Counters:
        """Under a secret of its own, so that no key is there yet."""
        self.links.append(AwaitedCluster(shared(self.kind).addresses, deadline=GENEROUS, instant=clock.wall))
        return RedisCounters(self.links[-1], token_bytes(32), token_bytes)


class TestValkeyDriven(TestDriven):
    kind = "valkey"


class TestValkeyAwaited(TestAwaited):
    kind = "valkey"
