"""What the contracts of stores stand on: the records they store, and running them on either face."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeAlias, TypeVar

from msgspec import field

from garrison.errors import UsageError
from garrison.model.event import Event
from garrison.stores.protocols import (
    Face,
    Kind,
    Outcome,
    Put,
    Record,
    Step,
    Store,
)
from garrison.testing.clock import ManualClock

__all__ = [
    "HOSTILE",
    "KEY",
    "KINDS",
    "ORDER",
    "RACERS",
    "THING",
    "UNSTORABLE",
    "Order",
    "StoreCase",
    "Thing",
    "Work",
    "expect",
]

T = TypeVar("T")
Work: TypeAlias = Callable[[], Coroutine[Any, Any, T]]

KEY = b"a key for the chain, only in tests"
"""What the contracts seal the journal with."""

RACERS = 16
"""How many run at once."""


class Thing(Record, frozen=True, kw_only=True):
    """A record with everything a kind can have."""

    id: str
    owner: str = ""
    email: str = ""
    alias: str = ""
    count: int = 0
    flag: bool = False
    expires_at: int = 0
    notes: dict[str, list[str]] = field(default_factory=dict)


class Order(Record, frozen=True, kw_only=True):
    """A record with nothing but a key."""

    number: str
    state: str = "open"


THING = Kind(name="thing", struct=Thing, indexes=("owner",), unique=("email", "alias"), expires="expires_at")
ORDER = Kind(name="order", struct=Order, key="number")
"""Named like a word of SQL, on purpose."""

KINDS = (THING, ORDER)

HOSTILE = (
    "plain",
    "Plain",
    "plain ",
    " plain",
    "1",
    "01",
    "1.0",
    "a",
    "a\x00",
    "a\x00b",
    "\x00",
    "'",
    '"',
    "`",
    "'; DROP TABLE thing; --",
    "%",
    "_",
    "*",
    "?1",
    "$.id",
    "\\",
    "\n",
    "{}",
    "null",
    "é",
    "e\u0301",
    "ß",
    "\u202eabc",
    "\ufeff",
    "\uffff",
    "\U0001f600",
    "\U0010ffff",
    "x" * 100_000,
)
"""Texts that stores have been known to lose, merge or run."""

UNSTORABLE = ("", "\ud800", "a\udfff")
"""What can be no key: nothing is ever found under it, and nothing is put."""


def expect(found: object, wanted: object) -> None:
    """Compare; works where `assert` is switched off.

    Raises:
        AssertionError: They differ.
    """
    if found != wanted:
        msg = f"found {str(found)[:500]}, wanted {str(wanted)[:500]}"
        raise AssertionError(msg)


class StoreCase:
    """Opens a store for each test and runs coroutines on one of its faces."""

    driven: ClassVar[bool] = True
    """Which face is tested: the blocking one, or the one for a loop."""

    def open(self, clock: ManualClock, kinds: tuple[Kind, ...], chain_key: bytes) -> Store:
        """Open a new, empty store; the subclass says how."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Open it (pytest calls this)."""
        self.clock = ManualClock()
        self.store = self.open(self.clock, KINDS, KEY)
        self.face: Face = self.store.driven() if self.driven else self.store.awaited()

    def teardown_method(self) -> None:
        """Close it (pytest calls this)."""
        self.store.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine: on a loop, or by hand, where it must not suspend.

        Raises:
            AssertionError: A driven coroutine suspended.
        """
        if not self.driven:
            return asyncio.run(work)
        try:
            work.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        work.close()
        msg = "the driven face suspended"
        raise AssertionError(msg)

    def race(self, *works: Work[T]) -> list[T]:
        """Run many at once, each in a thread or a task of its own; gives what they returned, in order."""
        if not self.driven:

            async def gather() -> list[T]:
                return list(await asyncio.gather(*[work() for work in works]))

            return asyncio.run(gather())
        results: dict[int, T] = {}
        start = threading.Barrier(len(works))

        def one(number: int, work: Work[T]) -> None:
            start.wait()
            results[number] = self.run(work())

        threads = [threading.Thread(target=one, args=(number, work)) for number, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[number] for number in range(len(works))]

    def commit(self, *steps: Step, events: tuple[Event, ...] = ()) -> Outcome:
        """Commit on the face under test."""
        return self.run(self.face.commit(steps, events))

    def put(self, *things: Thing) -> None:
        """Store what a test begins with."""
        expect(self.commit(*[Put(THING, thing) for thing in things]).done, True)

    def get(self, key: str) -> Any:
        """Read one thing."""
        return self.run(self.face.get(THING, key))

    def keys(self, index: str = "", value: str = "", after: str = "", limit: int = 1_000) -> list[str]:
        """Name the things that are found."""
        return [thing.id for thing in self.run(self.face.find(THING, index, value, after, limit))]

    def refused(self, number: int, condition: str, *steps: Step) -> None:
        """Commit, and demand that it fails there and for that."""
        expect(self.commit(*steps), Outcome(False, number, condition))

    def misuse(self, work: Coroutine[Any, Any, object], error: type[Exception] = UsageError) -> None:
        """Demand that a call is refused as misuse, or as a fault.

        Raises:
            AssertionError: It was not.
        """
        try:
            self.run(work)
        except error:
            return
        msg = f"no {error.__name__}"
        raise AssertionError(msg)
