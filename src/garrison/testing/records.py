"""What every store of records promises, as tests: subclass, say how to open one, run pytest.

    class TestMyStore(RecordsContract):
        def open(self, clock, kinds, chain_key):
            return MyStore(clock, kinds, chain_key)

Run it twice, with `driven = True` and with `driven = False`: both faces keep the same promises.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeAlias, TypeVar

from msgspec import field

from garrison.errors import StoreError, UsageError
from garrison.model.event import Event
from garrison.stores.protocols import (
    Add,
    Consume,
    Drop,
    Face,
    Fewer,
    Kind,
    Outcome,
    Put,
    Query,
    Record,
    Require,
    Step,
    Store,
)
from garrison.testing.clock import ManualClock

__all__ = ["HOSTILE", "KEY", "KINDS", "ORDER", "THING", "Order", "RecordsContract", "StoreCase", "Thing", "expect"]

T = TypeVar("T")
Work: TypeAlias = Callable[[], Coroutine[Any, Any, T]]

KEY = b"a key for the chain, only in tests"
"""What the contracts seal the journal with."""

RACERS = 16


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
            return end.value  # type: ignore[no-any-return]  # StopIteration carries Any
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


class RecordsContract(StoreCase):
    """The promises of `garrison.stores.protocols.Records`."""

    def test_what_was_never_put_is_not_there(self) -> None:
        """Absence is an answer, not an error."""
        expect(self.get("a"), None)
        expect(self.keys(), [])

    def test_a_put_counts_the_version_up_and_says_so(self) -> None:
        """The outcome has the record as it is stored."""
        first = self.commit(Put(THING, Thing(id="a", count=7))).records[0]
        second = self.commit(Put(THING, first)).records[0]

        expect((first.version, second.version), (1, 2))
        expect(self.get("a"), second)

    def test_a_put_names_the_condition_that_failed(self) -> None:
        """Absent, version and missing are three answers."""
        self.put(Thing(id="a"))
        self.commit(Put(THING, Thing(id="a", version=1)))

        self.refused(0, "absent", Put(THING, Thing(id="a")))
        self.refused(0, "version", Put(THING, Thing(id="a", version=1)))
        self.refused(0, "version", Put(THING, Thing(id="a", version=3)))
        self.refused(0, "missing", Put(THING, Thing(id="b", version=1)))

    def test_everything_a_record_holds_comes_back(self) -> None:
        """Nested values and every kind of text survive."""
        thing = Thing(id="a", count=-(2**53), flag=True, notes={text: [text, ""] for text in HOSTILE})
        self.put(thing)

        expect(self.get("a").notes, thing.notes)
        expect((self.get("a").count, self.get("a").flag), (-(2**53), True))

    def test_hostile_keys_are_keys_like_any_other(self) -> None:
        """None is lost, merged with its neighbour, or run."""
        self.put(*[Thing(id=text, owner="o", count=number) for number, text in enumerate(HOSTILE)])

        expect([self.get(text).count for text in HOSTILE], list(range(len(HOSTILE))))
        expect(self.keys(), sorted(HOSTILE))
        expect(self.keys("owner", "o"), sorted(HOSTILE))
        for text in HOSTILE:
            expect(self.commit(Consume(THING, text)).records[0].id, text)
        expect(self.keys(), [])

    def test_hostile_values_are_values_like_any_other(self) -> None:
        """Under an index and in a unique field."""
        self.put(*[Thing(id=str(n), owner=text, email=text) for n, text in enumerate(HOSTILE)])

        for number, text in enumerate(HOSTILE):
            expect(self.keys("owner", text), [str(number)])
            expect(self.keys("email", text), [str(number)])
            self.refused(0, "unique:email", Put(THING, Thing(id="new", email=text)))

    def test_what_can_be_no_key_is_never_there(self) -> None:
        """A lone surrogate comes from outside: it finds nothing, and breaks nothing."""
        self.put(Thing(id="a"))
        for text in UNSTORABLE:
            expect(self.get(text), None)
            expect(self.keys("owner", text), [])
            self.refused(0, "missing", Consume(THING, text))
            self.refused(0, "missing", Require(THING, text, "count", 0))
            expect(self.commit(Drop(THING, text)).done, True)
            expect(self.commit(Fewer(THING, "owner", text, 1)).done, True)
            self.misuse(self.face.commit([Put(THING, Thing(id=text))]))
        self.misuse(self.face.commit([Put(THING, Thing(id="b", owner="\ud800"))]))
        expect(self.keys(after="\ud800"), [])
        expect(self.keys(), ["a"])

    def test_a_refused_commit_leaves_nothing_behind(self) -> None:
        """All kinds of a commit, and its events, stand or fall together."""
        self.put(Thing(id="a", owner="o", email="e", count=1), Thing(id="b"))
        steps: list[Step] = [
            Put(ORDER, Order(number="1")),
            Put(THING, Thing(id="c", owner="o", email="f")),
            Put(THING, Thing(id="a", owner="p", email="g", version=1)),
            Add(THING, "a", "count", 5),
            Consume(THING, "b"),
            Drop(THING, "c"),
            Require(THING, "a", "count", 99),
        ]
        outcome = self.run(self.face.commit(steps, [Event(code="never", at=1)]))

        expect(outcome, Outcome(False, 6, "field:count"))
        expect((self.get("a").owner, self.get("a").count, self.get("a").version), ("o", 1, 1))
        expect((self.keys(), self.keys("owner", "o"), self.keys("email", "e")), (["a", "b"], ["a"], ["a"]))
        expect((self.keys("email", "g"), self.run(self.face.get(ORDER, "1"))), ([], None))
        expect(self.run(self.face.read(Query())), ())

    def test_a_later_step_sees_what_an_earlier_one_did(self) -> None:
        """Steps happen in order."""
        outcome = self.commit(
            Put(THING, Thing(id="a", count=2)),
            Require(THING, "a", "count", 2),
            Put(THING, Thing(id="a", count=3, version=1)),
            Consume(THING, "a", 2),
            Put(THING, Thing(id="a", email="e")),
            Drop(THING, "a"),
            Put(THING, Thing(id="b", email="e")),
        )

        expect([record.version for record in outcome.records], [1, 2, 2, 1, 1])
        expect((self.keys(), self.keys("email", "e")), (["b"], ["b"]))

    def test_a_commit_of_nothing_is_done(self) -> None:
        """Nothing had a condition."""
        expect(self.commit(), Outcome(True))

    def test_consume_takes_a_record_once(self) -> None:
        """Single use: the second finds nothing."""
        self.put(Thing(id="a", owner="o", count=5))

        self.refused(0, "version", Consume(THING, "a", 2))
        expect(self.commit(Consume(THING, "a", 1)).records[0].count, 5)
        self.refused(0, "missing", Consume(THING, "a"))
        expect((self.get("a"), self.keys("owner", "o")), (None, []))

    def test_drop_is_done_whether_or_not_it_was_there(self) -> None:
        """It has no condition."""
        self.put(Thing(id="a"))

        expect([self.commit(Drop(THING, "a")).done for _ in range(2)], [True, True])
        expect(self.get("a"), None)

    def test_require_compares_value_and_type(self) -> None:
        """`True` is not `1`, and `"1"` is neither."""
        self.put(Thing(id="a", count=1, flag=True, owner="1"))
        held = (("count", 1), ("flag", True), ("owner", "1"), ("version", 1), ("id", "a"))
        for name, value in held:
            expect(self.commit(Require(THING, "a", name, value)).done, True)
        for name, value in (("count", True), ("flag", 1), ("owner", 1), ("count", "1"), ("count", 2)):
            self.refused(0, f"field:{name}", Require(THING, "a", name, value))
        self.refused(0, "missing", Require(THING, "b", "count", 0))
        self.misuse(self.face.commit([Require(THING, "a", "colour", 0)]))

    def test_fewer_counts_what_is_live_under_a_value(self) -> None:
        """The cap on keys per owner; index `""` counts the whole kind."""
        self.put(Thing(id="a", owner="o"), Thing(id="b", owner="o", expires_at=self.clock.wall() + 5), Thing(id="c"))

        self.refused(0, "fewer", Fewer(THING, "owner", "o", 2))
        self.refused(0, "fewer", Fewer(THING, "owner", "o", 0))
        self.refused(0, "fewer", Fewer(THING, "", "", 3))
        expect(self.commit(Fewer(THING, "owner", "o", 3), Fewer(THING, "owner", "p", 1)).done, True)
        self.clock.advance(5)
        expect(self.commit(Fewer(THING, "owner", "o", 2), Fewer(THING, "", "", 3)).done, True)
        self.misuse(self.face.commit([Fewer(THING, "count", "1", 1)]))

    def test_unique_holds_across_keys_and_frees_what_is_gone(self) -> None:
        """Two fields, each by itself; empty is no value; a record does not collide with itself."""
        self.put(Thing(id="a", email="e", alias="n"), Thing(id="b"), Thing(id="c"))

        self.refused(0, "unique:email", Put(THING, Thing(id="d", email="e")))
        self.refused(1, "unique:alias", Put(THING, Thing(id="d")), Put(THING, Thing(id="e", alias="n")))
        expect(self.commit(Put(THING, Thing(id="a", email="e", alias="m", version=1))).done, True)
        expect(self.commit(Put(THING, Thing(id="d", alias="n"))).done, True)
        expect(self.commit(Drop(THING, "a"), Put(THING, Thing(id="f", email="e"))).done, True)
        expect((self.keys("email", "e"), self.keys("alias", "m")), (["f"], []))

    def test_an_expired_record_is_as_if_absent(self) -> None:
        """From the very instant on, for every way to ask."""
        until = self.clock.wall() + 10
        self.put(Thing(id="a", owner="o", email="e", expires_at=until), Thing(id="b", owner="o"))
        self.clock.advance(9)
        expect((self.get("a").id, self.keys("owner", "o")), ("a", ["a", "b"]))

        self.clock.advance(1)
        expect((self.get("a"), self.keys("owner", "o"), self.keys(), self.keys("email", "e")), (None, ["b"], ["b"], []))
        self.refused(0, "missing", Consume(THING, "a"))
        self.refused(0, "missing", Require(THING, "a", "owner", "o"))
        self.refused(0, "missing", Add(THING, "a", "count", 1))
        self.refused(0, "missing", Put(THING, Thing(id="a", version=1)))
        expect(self.commit(Put(THING, Thing(id="c", email="e"))).done, True)
        expect(self.commit(Put(THING, Thing(id="a", count=3))).records[0].version, 1)
        expect(self.get("a").count, 3)

    def test_sweep_removes_what_expired_and_nothing_else(self) -> None:
        """In steps of the size asked for."""
        now = self.clock.wall()
        self.put(*[Thing(id=f"{n:02}", expires_at=now + n) for n in range(1, 10)], Thing(id="x"))
        self.clock.advance(6)

        removed = [self.run(self.face.sweep(4)), self.run(self.face.sweep(4)), self.run(self.face.sweep(4))]
        expect((sum(removed) <= 6, max(removed) <= 4, removed[2]), (True, True, 0))
        expect(self.keys(), ["07", "08", "09", "x"])

    def test_find_goes_in_the_order_of_code_points_page_by_page(self) -> None:
        """Every record once, none twice, however long the pages are."""
        self.put(*[Thing(id=text, owner="o") for text in HOSTILE], Thing(id="other", owner="p"))
        for size in (1, 3, 1_000):
            for index, value in (("owner", "o"), ("", "")):
                seen: list[str] = []
                while page := self.keys(index, value, seen[-1] if seen else "", size):
                    expect(len(page) <= size, True)
                    seen += page
                expect(seen, sorted((*HOSTILE, "other")) if not index else sorted(HOSTILE))
        expect((self.keys("owner", "o", limit=0), self.keys("owner", "o", limit=-1)), ([], []))

    def test_find_follows_every_change(self) -> None:
        """A record stands under its present values only."""
        self.put(Thing(id="a", owner="o", email="e"))
        self.commit(Put(THING, Thing(id="a", owner="p", version=1)))

        expect((self.keys("owner", "o"), self.keys("owner", "p"), self.keys("email", "e")), ([], ["a"], []))
        expect(self.keys("owner", ""), [])
        self.misuse(self.face.find(THING, "count", "1"))

    def test_add_counts_in_one_step(self) -> None:
        """With a floor, so that what remains is exact."""
        self.put(Thing(id="a", count=5, expires_at=self.clock.wall() + 100))

        expect(self.commit(Add(THING, "a", "count", -5)).records[0].count, 0)
        self.refused(0, "field:count", Add(THING, "a", "count", -1))
        expect(self.commit(Add(THING, "a", "count", -1, least=-1)).records[0].version, 3)
        self.refused(0, "version", Put(THING, Thing(id="a", version=2)))
        self.refused(0, "missing", Add(THING, "b", "count", 1))
        self.misuse(self.face.commit([Add(THING, "a", "owner", 1)]))
        self.misuse(self.face.commit([Add(THING, "a", "count", 2**64)]))
        self.commit(Add(THING, "a", "expires_at", -100))
        expect(self.get("a"), None)

    def test_misuse_is_refused_before_anything_happens(self) -> None:
        """A call that can never be right says so and leaves nothing behind."""
        stranger = Kind(name="thing", struct=Order, key="number")
        self.put(Thing(id="a"))

        self.misuse(self.face.get(stranger, "a"))
        self.misuse(self.face.commit([Put(THING, Order(number="1"))]))
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), Kind(name="no_step", struct=Thing)]))  # type: ignore[list-item]  # wrong on purpose
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), Put(THING, Thing(id="c", notes={"a": [object()]}))]))  # type: ignore[list-item]  # wrong on purpose
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), Put(THING, Thing(id="c", expires_at=2**63))]))
        expect(self.keys(), ["a"])

    def test_a_closed_store_says_so(self) -> None:
        """And does so every time."""
        self.put(Thing(id="a"))
        self.store.close()
        self.store.close()

        self.misuse(self.face.get(THING, "a"), StoreError)
        self.misuse(self.face.commit([Put(THING, Thing(id="b"))]), StoreError)

    def test_of_many_who_put_what_is_absent_one_wins(self) -> None:
        """A single-use mark: `jti`, nonce, code."""
        outcomes = self.race(*[self._commits(Put(THING, Thing(id="a", count=n))) for n in range(RACERS)])

        winner = _one_winner(outcomes, "absent")
        expect(self.get("a").count, winner)

    def test_of_many_who_put_one_version_one_wins(self) -> None:
        """No lost update."""
        self.put(Thing(id="a"))
        outcomes = self.race(*[self._commits(Put(THING, Thing(id="a", count=n, version=1))) for n in range(RACERS)])

        winner = _one_winner(outcomes, "version")
        expect((self.get("a").count, self.get("a").version), (winner, 2))

    def test_of_many_who_consume_one_wins(self) -> None:
        """And whatever hangs on it happens once."""
        self.put(Thing(id="a"))
        outcomes = self.race(
            *[self._commits(Consume(THING, "a"), Put(THING, Thing(id=f"n{n}"))) for n in range(RACERS)]
        )

        expect(self.keys(), [f"n{_one_winner(outcomes, 'missing')}"])

    def test_of_many_who_want_one_name_one_wins(self) -> None:
        """Different keys, the same e-mail address."""
        outcomes = self.race(*[self._commits(Put(THING, Thing(id=f"{n:02}", email="e"))) for n in range(RACERS)])

        expect(self.keys("email", "e"), [f"{_one_winner(outcomes, 'unique:email'):02}"])

    def test_of_many_who_want_the_last_places_no_more_win_than_there_are(self) -> None:
        """Five sessions a user: the count and the put are one step."""
        outcomes = self.race(
            *[
                self._commits(Fewer(THING, "owner", "o", 5), Put(THING, Thing(id=f"{n}", owner="o")))
                for n in range(RACERS)
            ]
        )

        expect(sum(outcome.done for outcome in outcomes), 5)
        expect({outcome.condition for outcome in outcomes}, {"", "fewer"})
        expect(len(self.keys("owner", "o")), 5)

    def test_of_many_who_require_what_one_of_them_changes_one_wins(self) -> None:
        """No login survives the reset that came first."""
        self.put(Thing(id="a"))
        outcomes = self.race(
            *[self._commits(Require(THING, "a", "count", 0), Add(THING, "a", "count", 1)) for _ in range(RACERS)]
        )

        _one_winner(outcomes, "field:count")
        expect(self.get("a").count, 1)

    def test_of_many_who_spend_what_remains_no_more_win_than_remained(self) -> None:
        """Remaining uses are exact."""
        self.put(Thing(id="a", count=7))
        outcomes = self.race(*[self._commits(Add(THING, "a", "count", -1)) for _ in range(RACERS)])

        expect((sum(outcome.done for outcome in outcomes), self.get("a").count), (7, 0))

    def test_commits_that_cross_all_end(self) -> None:
        """Two orders of the same records do not wait for each other."""
        self.put(Thing(id="a"), Thing(id="b"))
        ways = (("a", "b"), ("b", "a"))
        outcomes = self.race(
            *[self._commits(*[Add(THING, key, "count", 1) for key in ways[n % 2]]) for n in range(RACERS)]
        )

        expect(
            (all(outcome.done for outcome in outcomes), self.get("a").count, self.get("b").count),
            (True, RACERS, RACERS),
        )

    def test_nobody_sees_half_a_commit(self) -> None:
        """Two records change together, for readers, too."""
        self.put(Thing(id="a", owner="o"), Thing(id="b", owner="o"))

        async def write() -> list[bool]:
            steps: list[Step] = [
                Add(THING, "a", "count", 1),
                Add(THING, "b", "count", 1),
                Require(THING, "a", "count", -1),
            ]
            return [(await self.face.commit(steps[: 2 + n % 2])).done for n in range(40)]

        async def look() -> list[bool]:
            seen = []
            for _ in range(400):
                one, other = await self.face.find(THING, "owner", "o")
                seen.append(one.count == other.count)
                await self._pause()
            return seen

        results = self.race(write, look, write, look)

        expect([sum(results[n]) for n in range(4)], [20, 400, 20, 400])
        expect(self.get("a").count, 40)

    async def _pause(self) -> None:
        if not self.driven:
            await asyncio.sleep(0)

    def _commits(self, *steps: Step) -> Work[Outcome]:
        return lambda: self.face.commit(steps)


def _one_winner(outcomes: list[Outcome], condition: str) -> int:
    """Demand one winner and that all others failed for one reason; tells which one won."""
    winners = [number for number, outcome in enumerate(outcomes) if outcome.done]
    expect(len(winners), 1)
    expect({outcome.condition for outcome in outcomes if not outcome.done}, {condition})
    return winners[0]
