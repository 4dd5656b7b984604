"""Counters in Redis and in Valkey keep the promises of counters."""

from __future__ import annotations

from secrets import token_bytes
from typing import ClassVar

from garrison.stores.protocols import Counters
from garrison.stores.redis.counters import Awaited, Driven, RedisCounters
from garrison.testing import CountersContract, ManualClock
from tests.stores.redis.server import socket

GENEROUS = 10.0
"""Seconds: what is tested here is not the deadline."""


class TestDriven(CountersContract):
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
        return RedisCounters(self.links[-1], token_bytes(32), token_bytes)


class TestAwaited(CountersContract):
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
        return RedisCounters(self.links[-1], token_bytes(32), token_bytes)


class TestValkeyDriven(TestDriven):
    kind = "valkey"


class TestValkeyAwaited(TestAwaited):
    kind = "valkey"
