"""What every store of records promises, as tests: subclass, say how to open one, run pytest.

    class TestMyStore(RecordsContract):
        def open(self, clock, kinds, chain_key):
            return MyStore(clock, kinds, chain_key)

Run it twice, with `driven = True` and with `driven = False`: both faces keep the same promises.
"""

from __future__ import annotations

from typing import Any

from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.protocols import Add, Consume, Drop, Fewer, Kind, Outcome, Put, Query, Require, Step
from garrison.testing.races import RacesContract
from garrison.testing.store_case import HOSTILE, ORDER, THING, UNSTORABLE, Order, Thing, expect

__all__ = ["RecordsContract"]


class RecordsContract(RacesContract):
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
        expect(self.keys("owner", "p", limit=2**80), ["other"])

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
        no_step: Any = Kind(name="no_step", struct=Thing)
        no_json: Any = {"a": [object()]}
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), no_step]))
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), Put(THING, Thing(id="c", notes=no_json))]))
        self.misuse(self.face.commit([Put(THING, Thing(id="b")), Put(THING, Thing(id="c", expires_at=2**63))]))
        expect(self.keys(), ["a"])

    def test_a_closed_store_says_so(self) -> None:
        """And does so every time."""
        self.put(Thing(id="a"))
        self.store.close()
        self.store.close()

        self.misuse(self.face.get(THING, "a"), StoreError)
        self.misuse(self.face.commit([Put(THING, Thing(id="b"))]), StoreError)
