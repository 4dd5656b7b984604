"""What a verdict says: properties 4 to 9 and 30."""

from __future__ import annotations

from typing import Any

from garrison.errors import UsageError
from garrison.limits import NEVER, Ask, Verdict, parse
from garrison.testing.counting.case import CountersCase
from garrison.testing.store_case import expect

__all__ = ["Verdicts"]


class Verdicts(CountersCase):
    """The numbers are the truth, and asking for them is free."""

    def test_retry_after_is_long_enough_and_not_a_tick_longer(self) -> None:
        """A client that obeys is served, and is not kept waiting for nothing."""
        for dearly in (False, True):
            for limit in self.every_limit():
                self.clock.advance(limit.window // 3)
                self.spend_all(limit)
                cost = limit.burst if dearly else 1
                denied = self.peek(limit, cost=cost)
                expect((denied.allowed, 0 < denied.retry_after < NEVER), (False, True))
                self.clock.advance(denied.retry_after - 1)
                expect(self.peek(limit, cost=cost).retry_after, 1)
                self.clock.advance(1)
                expect(self.peek(limit, cost=cost).allowed, True)

    def test_reset_after_is_when_one_more_comes_back(self) -> None:
        """Not a tick earlier, and not one later."""
        for limit in self.every_limit():
            expect(self.peek(limit, cost=0).reset_after, 0)
            verdict = self.one(limit)
            expect(verdict.reset_after > 0, True)
            self.clock.advance(verdict.reset_after - 1)
            expect(self.peek(limit, cost=0).remaining, verdict.remaining)
            self.clock.advance(1)
            expect(self.peek(limit, cost=0).remaining, verdict.remaining + 1)

    def test_what_is_denied_costs_nothing(self) -> None:
        """However often and however dearly it is asked."""
        for limit in self.every_limit():
            self.spend_all(limit)
            before = self.peek(limit)
            for _ in range(20):
                self.one(limit)
                self.one(limit, cost=limit.burst)
                self.one(limit, cost=10**12)
            expect(self.peek(limit), before)

    def test_a_look_tells_what_a_step_would_and_changes_nothing(self) -> None:
        """A look is how a dashboard asks; it must not spend."""
        random = self.draws(3)
        for limit in self.every_limit():
            for _ in range(60):
                cost = random.choice((0, 1, 1, 2, limit.burst))
                looks = [self.peek(limit, cost=cost)._replace(lease=0) for _ in range(3)]
                expect(looks, [self.one(limit, cost=cost)._replace(lease=0)] * 3)
                self.clock.advance(random.choice((0, 1, limit.window // 5)))

    def test_what_remains_can_be_spent_now_and_not_one_more(self) -> None:
        """The number in the header is the truth."""
        for limit in self.every_limit():
            remaining = self.one(limit).remaining
            expect(self.one(limit, cost=remaining + 1).allowed, False)
            expect(self.one(limit, cost=remaining).allowed, True)
            expect(self.one(limit).remaining, 0)

    def test_a_cost_of_many_is_as_many_of_one(self) -> None:
        """At one instant; and what costs more than there ever is, is told that waiting is no use."""
        for limit in self.every_limit():
            cost = min(limit.burst, 3)
            self.one(limit, "at once", cost)
            for _ in range(cost):
                self.one(limit, "one by one")
            at_once, one_by_one = self.peek(limit, "at once"), self.peek(limit, "one by one")
            expect(at_once._replace(lease=0), one_by_one._replace(lease=0))
            expect(self.one(limit, cost=limit.burst + 1)[:3], (False, limit.burst, NEVER))

    def test_nothing_but_whole_numbers_from_zero_is_a_cost(self) -> None:
        """A negative cost would give quota back; nothing of such a step is spent."""
        costs: tuple[Any, ...] = (-1, True, False, 1.0, float("nan"), 2.0**60, "1", None)
        for cost in costs:
            asks = [Ask("s", parse("5/s")), Ask("s", parse("at most 5 in 1s")), Ask("t", parse("5/s"), cost)]
            for step in (self.store.take, self.store.peek):
                try:
                    self.run(step(asks))
                except UsageError:
                    expect(self.peek("5/s").remaining, 4)
                    expect(self.peek("at most 5 in 1s").remaining, 4)
                else:
                    msg = f"{cost!r} was taken for a cost"
                    raise AssertionError(msg)

    def test_a_limit_of_nothing_denies_everything(self) -> None:
        """And divides by nothing."""
        for text in ("0/s", "at most 0 in 1s", "0 per calendar day", "0 at once"):
            expect(self.one(text), Verdict(False, 0, NEVER, 0))
            expect(self.one(text, cost=0)[:4], (True, 0, 0, 0))

    def test_a_changed_limit_holds_at_once_and_forgives_nothing(self) -> None:
        """Up and down, also over the bound between log and window, and with another window under a name."""
        pairs = (
            ("10/s", "20/s"),
            ("7/s", "3/s burst 9"),
            ("10/s as a", "100/h as a"),
            ("100/h as a", "10/s as a"),
            ("at most 10 in 1m", "at most 20 in 1m"),
            ("at most 60 in 1m", "at most 90 in 1m"),
            ("at most 90 in 1m as a", "at most 120 in 2m as a"),
            ("10 per calendar day", "20 per calendar day"),
            ("9 at once", "12 at once"),
        )
        for few, many in pairs:
            before, after = parse(few), parse(many)
            for old, new in ((before, after), (after, before)):
                self.afresh()
                self.spend_all(old)
                expect(self.one(new, cost=0).remaining, max(new.burst - old.burst, 0))
                expect(self.spend_all(new), max(new.burst - old.burst, 0))

    def test_a_limit_that_only_observes_denies_nobody_and_tells(self) -> None:
        """It counts as if it were enforced, and a denial by another limit costs it nothing."""
        for limit in self.every_limit():
            watched, other = limit.but(mode="observe"), Ask("t", parse("at most 1 in 1d as other"))
            for _ in range(limit.burst):
                expect(self.one(watched).retry_after, 0)
            over = self.one(watched)
            expect((over.allowed, over.remaining, over.retry_after > 0), (True, 0, True))
            expect([v.allowed for v in self.take(Ask("s", watched), other)], [True, True])
            expect([v.allowed for v in self.take(Ask("s", watched), other)], [True, False])
            expect(self.one(limit).allowed, False)
