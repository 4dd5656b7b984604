"""What every audit journal promises, as tests: subclass, say how to open a store, run pytest.

Like `garrison.testing.records`: once with `driven = True`, once with `driven = False`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.audit import verify
from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.protocols import Put, Query, Require
from garrison.testing.store_case import HOSTILE, KEY, RACERS, THING, StoreCase, Thing, expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.audit import Report
    from garrison.stores.protocols import Sealed

__all__ = ["JournalContract"]

_SECRET = "grsn_sk_live_4fQxT0aB9cDe_" + "S3cret" * 8 + "x"
"""Shaped like one of our keys; a secret of nobody."""


class JournalContract(StoreCase):
    """The promises of `garrison.stores.protocols.Journal`."""

    def append(self, *events: Event) -> None:
        """Append and wait until it is written."""
        self.run(self._append(events))

    async def _append(self, events: Sequence[Event]) -> None:
        await self.face.append(events)
        await self.face.flush()

    def read(self, after: tuple[str, int] = ("", 0), **wishes: Any) -> Sequence[Sealed]:
        """Read with a query."""
        return self.run(self.face.read(Query(**wishes), after))

    def codes(self, **wishes: Any) -> str:
        """Read the codes of what a query finds, as one text."""
        return " ".join(sealed.event.code for sealed in self.read(**wishes))

    def prove(self) -> Report:
        """Verify the whole journal, and demand that it is whole."""
        report = self.run(verify(self.face, [KEY]))
        expect(report.flaws, ())
        return report

    def test_a_new_journal_is_empty_and_whole(self) -> None:
        """Nothing to read, no head, no flaw."""
        expect((self.read(), self.run(self.face.heads()), self.run(self.face.head("main"))), ((), (), None))
        expect(self.prove().events, 0)
        self.append()
        expect(self.read(), ())

    def test_events_land_with_their_effect(self) -> None:
        """In one step with the records, numbered without a gap."""
        outcome = self.commit(Put(THING, Thing(id="a")), events=(_event("one"), _event("two")))
        expect(outcome.done, True)
        self.commit(events=(_event("three"),))

        expect(self.codes(), "one two three")
        expect([sealed.sequence for sealed in self.read()], [1, 2, 3])
        expect(self.prove().events, 3)

    def test_events_of_a_refused_commit_never_happened(self) -> None:
        """Neither an event nor a gap."""
        self.commit(events=(_event("one"),))
        expect(self.commit(Require(THING, "a", "count", 0), events=(_event("never"),)).done, False)
        self.commit(events=(_event("two"),))

        expect(self.codes(), "one two")
        self.prove()

    def test_what_was_appended_comes_before_what_was_committed_later(self) -> None:
        """The journal keeps the order in which one caller spoke."""

        async def speak() -> None:
            await self.face.append([_event("one"), _event("two")])
            await self.face.commit([Put(THING, Thing(id="a"))], [_event("three")])
            await self.face.append([_event("four")])
            await self.face.flush()

        self.run(speak())

        expect(self.codes(), "one two three four")
        self.prove()

    def test_the_head_is_the_last_event(self) -> None:
        """And says where the chain begins."""
        self.append(_event("one"), _event("two"))
        head, last = self.run(self.face.head("main")), self.read()[-1]

        expect(head is not None and (head.sequence, head.mac, head.base), (2, last.mac, 0))
        expect(self.run(self.face.heads()), (head,))
        expect(self.run(self.face.head("other")), None)

    def test_an_event_comes_back_as_it_was(self) -> None:
        """Every field."""
        event = Event(
            code="authn_login_fail",
            at=self.clock.wall(),
            actor="user:ada",
            subject="user:bob:https%3A%2F%2Fissuer.example",
            outcome="refused",
            severity="warning",
            reason="password_wrong",
            address="2001:db8::1",
            route="POST /api/auth/login",
            correlation="4bf92f3577b34da6a3ce929d0e0e4736",
            tenant="acme",
            count=3,
            details={"tries": 3, "known": True, "name": "Åda"},
        )
        self.append(event)

        expect(self.read()[0].event, event)

    def test_queries_find_what_they_name(self) -> None:
        """Alone and together; `since` is included, `until` is not."""
        for number in range(6):
            code, actor, subject = f"c{number % 2}", f"a{number % 3}", f"s{number}"
            self.append(Event(code=code, at=100 + number, actor=actor, subject=subject))

        expect(len(self.read()), 6)
        expect([sealed.sequence for sealed in self.read(code="c1")], [2, 4, 6])
        expect([sealed.sequence for sealed in self.read(actor="a2")], [3, 6])
        expect([sealed.sequence for sealed in self.read(code="c1", actor="a2")], [6])
        expect([sealed.sequence for sealed in self.read(subject="s4")], [5])
        expect([sealed.sequence for sealed in self.read(since=102, until=104)], [3, 4])
        expect((self.read(code="c"), self.read(code="c0' OR 1=1 --"), self.read(limit=0)), ((), (), ()))

    def test_pages_show_every_event_once_in_both_directions(self) -> None:
        """From the beginning, and from the end."""
        self.append(*[_event(f"e{number}") for number in range(7)])
        for size in (1, 2, 7, 9):
            for newest in (False, True):
                seen: list[Sealed] = []
                place = ("", 0)
                while page := self.read(place, limit=size, newest=newest):
                    expect(len(page) <= size, True)
                    seen += page
                    place = (page[-1].writer, page[-1].sequence)
                numbers = [sealed.sequence for sealed in seen]
                expect(numbers, list(range(7, 0, -1)) if newest else list(range(1, 8)))

    def test_many_who_write_at_once_make_one_chain(self) -> None:
        """No number twice, none missing, every link sound."""

        async def speak(name: str) -> None:
            for number in range(5):
                await self.face.append([_event(f"append_{name}_{number}")])
                await self.face.commit([Put(THING, Thing(id=f"{name}{number}"))], [_event(f"commit_{name}_{number}")])
            await self.face.flush()

        self.race(*[lambda name=name: speak(name) for name in "abcdefghijklmnop"[:RACERS]])

        events = self.read(limit=10_000)
        expect([sealed.sequence for sealed in events], list(range(1, RACERS * 10 + 1)))
        expect(len({sealed.event.code for sealed in events}), RACERS * 10)
        self.prove()

    def test_trim_removes_old_events_from_the_beginning_only(self) -> None:
        """What is left still verifies, and the newest always stays."""
        for at in (10, 20, 5, 30, 8, 40):
            self.append(Event(code=f"at{at}", at=at))

        expect(self.run(self.face.trim(5)), 0)
        expect(self.run(self.face.trim(25, limit=2)), 2)
        expect(self.codes(), "at5 at30 at8 at40")
        expect(self.run(self.face.trim(25)), 1)
        expect(self.codes(), "at30 at8 at40")
        self.prove()
        expect(self.run(self.face.trim(1_000)), 2)
        self.append(_event("more"))
        expect(self.codes(), "at40 more")
        expect([sealed.sequence for sealed in self.read()], [6, 7])
        expect((self.prove().heads[0].base, self.run(self.face.trim(0))), (5, 0))

    def test_no_secret_enters_either_way(self) -> None:
        """By `commit` and by `append` alike."""
        event = Event(code="x", at=1, reason=f"used {_SECRET}", details={"password": "hunter2hunter2", "said": _SECRET})
        self.append(event)
        self.commit(Put(THING, Thing(id="a")), events=(event,))

        for sealed in self.read():
            expect([word in sealed.body for word in (b"hunter2", b"S3cret")], [False, False])
            expect(b"4fQxT0aB9cDe" in sealed.body, True)

    def test_no_text_breaks_a_line_or_the_chain(self) -> None:
        """One event, one line, whatever it says (CWE-117)."""
        for text in (*HOSTILE, "\ud800", "a\r\nb", "\x1b[2J", "\u2028", "\x85"):
            self.append(Event(code="said", at=1, actor=text, subject=text, details={text: text}))
        for sealed in self.read(limit=1_000):
            expect(sealed.body.decode().isprintable(), True)
            expect(len(sealed.body) < 5_000, True)
        self.prove()

    def test_an_event_that_cannot_be_stored_is_misuse_and_holds_up_nobody(self) -> None:
        """Said to whoever brought it; those behind it are written."""
        wrong: list[Any] = [{"at": 2**63}, {"at": 2**70}, {"at": "now"}, {"count": None}, {"details": {"x": 1.5}}]
        for fields in wrong:
            event = Event(**{"code": "wrong", "at": 1, **fields})
            self.misuse(self.face.append([event]))
            self.misuse(self.face.commit([Put(THING, Thing(id="a"))], [event]))
        self.append(_event("right"))

        expect((self.codes(), self.get("a")), ("right", None))
        expect(len(self.read(limit=2**80)), 1)

    def test_a_closed_journal_says_so(self) -> None:
        """It neither forgets silently nor waits for ever."""
        self.append(_event("one"))
        self.store.close()

        self.misuse(self.face.append([_event("two")]), StoreError)
        self.misuse(self.face.read(Query()), StoreError)
        self.misuse(self.face.flush(), StoreError)


def _event(code: str) -> Event:
    return Event(code=code, at=1)
