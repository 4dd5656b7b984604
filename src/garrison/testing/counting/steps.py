"""Several asks in one step, and whom they count: properties 10 to 12."""

from __future__ import annotations

from itertools import permutations

from garrison.limits import Ask, Verdict, parse
from garrison.limits.subject import subject_key
from garrison.model.units import HOUR, SECOND
from garrison.testing.counting.case import EVERY_LIMIT, CountersCase
from garrison.testing.store_case import HOSTILE, expect

__all__ = ["Steps"]


class Steps(CountersCase):
    """All of a step or nothing, and nobody pays for another."""

    def test_all_of_a_step_is_spent_or_nothing(self) -> None:
        """A request denied by one limit must not wear down the others."""
        asks = [Ask(f"s{number}", limit) for number, limit in enumerate(map(parse, EVERY_LIMIT))]
        tight = Ask("victim", parse("at most 1 in 1h as tight"))
        expect([v.allowed for v in self.take(*asks, tight)], [True] * (len(asks) + 1))
        self.clock.advance(1)
        before = self.run(self.store.peek([ask._replace(cost=0) for ask in asks]))
        verdicts = self.take(*asks[:5], tight, *asks[5:])
        expect(verdicts[5], Verdict(False, 0, HOUR - 1, HOUR - 1))
        expect([v for v in (*verdicts[:5], *verdicts[6:]) if v.allowed], [v for v in before if v.remaining])
        expect(self.run(self.store.peek([ask._replace(cost=0) for ask in asks])), before)

    def test_every_limit_that_denies_says_so(self) -> None:
        """Whoever fixes only the first would be denied again."""
        self.spend_all("1/s", "a")
        self.spend_all("1/h", "b")
        verdicts = self.take(Ask("a", parse("1/s")), Ask("b", parse("1/h")), Ask("c", parse("1/d")))
        expect([v.retry_after for v in verdicts], [SECOND, HOUR, 0])

    def test_the_order_of_limits_decides_nothing(self) -> None:
        """Neither what passes nor what is left."""
        texts = ("3/s burst 2", "at most 3 in 1m", "5 per calendar hour")
        outcomes = []
        for order in permutations(texts):
            self.afresh()
            said = []
            for _ in range(6):
                verdicts = self.take(*[Ask("s", parse(text)) for text in order])
                said.append(sorted(zip(order, verdicts, strict=True)))
                self.clock.advance(SECOND // 4)
            outcomes.append(said)
        expect([outcome == outcomes[0] for outcome in outcomes], [True] * 6)

    def test_a_counter_asked_twice_in_a_step_is_spent_twice_or_not_at_all(self) -> None:
        """Two rules may meet in one counter; neither may pass on what the other took."""
        for limit in self.every_limit("2/s", "at most 2 in 1s", "at most 99 in 1s", "2 per calendar day", "2 at once"):
            rest = self.one(limit).remaining
            if rest > 1:
                self.one(limit, cost=rest - 1)
            expect(all(v.allowed for v in self.take(Ask("s", limit), Ask("s", limit))), False)
            expect(self.peek(limit, cost=0).remaining, 1)
            expect(self.one(limit).allowed, True)

    def test_different_rules_and_parties_never_share_a_counter(self) -> None:
        """Whatever texts they choose; the same party under another limit is counted apart too."""
        subjects = {subject_key(rule, party) for rule in HOSTILE for party in (*HOSTILE, "\ud800", "a|b", "#")}
        expect(len(subjects), len(HOSTILE) * (len(HOSTILE) + 3))
        for subject in sorted(subjects):
            expect(self.one("1/d", subject).allowed, True)
        apart = {limit.key: limit for limit in map(parse, EVERY_LIMIT)}
        expect([self.one(limit, "plain").allowed for limit in apart.values()], [True] * len(apart))
