"""How much passes: properties 1 to 3."""

from __future__ import annotations

from garrison.limits import Limit
from garrison.model.units import DAY, HOUR
from garrison.testing.counting.case import EXACT_LIMITS, RATES, CountersCase
from garrison.testing.store_case import expect

__all__ = ["Amounts"]


class Amounts(CountersCase):
    """What a limit lets through, whatever is tried."""

    def schedule(self, limit: Limit, seed: int, steps: int = 300) -> list[tuple[int, int]]:
        """Play an adversary: bursts, pauses as long as the window and its parts, single ticks, costs.

        Returns:
            Instant and cost of whatever passed.
        """
        random = self.draws(seed)
        pauses = (0, 0, 0, 1, limit.window // max(limit.count, 1), limit.slice, limit.window - 1, limit.window)
        passed = []
        for _ in range(steps):
            cost = random.choice((1, 1, 1, 2, limit.count))
            if self.one(limit, cost=cost).allowed:
                passed.append((self.clock.monotonic(), cost))
            pause = random.choice(pauses)
            self.clock.advance(random.choice((pause, random.randint(0, pause))))
        return passed

    def test_an_exact_limit_is_never_exceeded_in_any_stretch_of_its_window(self) -> None:
        """Bursts at the edges of a window are how twice the limit passes elsewhere."""
        for limit in self.every_limit(*EXACT_LIMITS):
            passed = self.schedule(limit, seed=1)
            for start, _ in passed:
                within = sum(cost for at, cost in passed if start <= at < start + limit.window)
                expect(within <= limit.count, True)

    def test_a_rate_passes_at_most_its_burst_and_what_came_back(self) -> None:
        """However the requests are spaced."""
        for limit in self.every_limit(*RATES):
            passed = self.schedule(limit, seed=2)
            for number, (start, _) in enumerate(passed):
                total = 0
                for at, cost in passed[number:]:
                    total += cost
                    expect(total * limit.window <= limit.burst * limit.window + (at - start) * limit.count, True)

    def test_a_client_that_keeps_to_the_rate_is_never_denied(self) -> None:
        """Not even where the interval is no whole number of microseconds."""
        for limit in self.every_limit(*RATES):
            begin = self.clock.monotonic()
            for number in range(300):
                due = begin + -(-number * limit.window // limit.count)
                self.clock.advance(due - self.clock.monotonic())
                expect(self.one(limit).allowed, True)

    def test_whoever_asks_all_the_time_gets_the_whole_rate(self) -> None:
        """Fractions that are lost at each request add up to a limit nobody declared."""
        for limit in self.every_limit(*RATES):
            begin, passed = self.clock.monotonic(), 0
            for _ in range(limit.burst + 600):
                verdict = self.one(limit)
                passed += verdict.allowed
                self.clock.advance(verdict.retry_after)
            elapsed = self.clock.monotonic() - begin
            expect(passed >= limit.burst + elapsed * limit.count // limit.window - 1, True)

    def test_a_calendar_limit_begins_anew_with_each_period_of_utc(self) -> None:
        """Days and months as a contract reads them; 15 January 2027 is a Friday."""
        self.clock.advance(16 * DAY + 16 * HOUR - 1)
        expect(self.spend_all("3 per calendar month"), 3)
        expect(self.one("3 per calendar month").retry_after, 1)
        self.clock.advance(1)
        expect(self.spend_all("3 per calendar month"), 3)
        expect(self.one("3 per calendar month").retry_after, 28 * DAY)
        expect(self.one("3 per calendar hour").reset_after, HOUR)
