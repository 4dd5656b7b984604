"""Many callers at once, and what they hold: properties 15, 23 and 29, and leases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from garrison.errors import UsageError
from garrison.limits import Ask, parse
from garrison.model.units import SECOND
from garrison.testing.counting.case import CountersCase
from garrison.testing.store_case import expect

__all__ = ["Callers"]


class Callers(CountersCase):
    """Exact over threads and tasks; what is held is given back once, and to its owner."""

    def test_a_place_is_free_when_it_is_given_back(self) -> None:
        """And only once: giving back twice frees nobody else's."""
        limit = parse("2 at once per key")
        first, second = Ask("s", limit), Ask("s", limit)
        held = [ask._replace(lease=self.take(ask)[0].lease) for ask in (first, second)]
        expect((self.one(limit).allowed, held[0].lease != held[1].lease), (False, True))
        for _ in range(3):
            self.run(self.store.release([held[0]]))
        expect(self.spend_all(limit), 1)

    def test_a_lease_that_outlived_its_time_frees_nobody_elses_place(self) -> None:
        """A slow request must not hand its successor's place to a third."""
        limit = parse("1 at once for 1s")
        slow = self.one(limit)
        self.clock.advance(SECOND - 1)
        expect(self.one(limit).retry_after, 1)
        self.clock.advance(1)
        expect(self.one(limit).allowed, True)
        self.run(self.store.release([Ask("s", limit, lease=slow.lease)]))
        expect(self.one(limit).allowed, False)

    def test_places_of_one_step_are_given_back_together(self) -> None:
        """Asks of other limits in the same step are passed over, and so is what nobody holds."""
        limit, other = parse("5 at once"), parse("5/s")
        asks = [Ask("s", limit, 3), Ask("s", other, 2)]
        verdicts = self.take(*asks)
        expect((self.peek(limit, cost=0).remaining, self.peek(other, cost=0).remaining), (2, 3))
        self.run(self.store.release([a._replace(lease=v.lease) for a, v in zip(asks, verdicts, strict=True)]))
        self.run(self.store.release([Ask("nobody", limit, lease=verdicts[0].lease)]))
        expect((self.peek(limit, cost=0).remaining, self.peek(other, cost=0).remaining), (5, 3))

    def test_a_place_without_its_lease_is_not_given_back(self) -> None:
        """It would be somebody's, but whose?"""
        self.one("1 at once")
        try:
            self.run(self.store.release([Ask("s", parse("1 at once"))]))
        except UsageError:
            expect(self.one("1 at once").allowed, False)
        else:
            raise AssertionError("a release without a lease was taken")

    def test_many_at_once_pass_exactly_the_limit(self) -> None:
        """Threads when driven, tasks when awaited; contention is never told as a denial."""
        for limit in self.every_limit("100/d", "at most 50 in 1d", "at most 100 in 1d", "100 per calendar day"):
            step = [Ask("all", limit), Ask("also", limit.but(count=1000, algorithm="rate", name="wide"))]
            passed = sum(self.race(partial(self.store.take, step), callers=8, times=40))
            expect(passed, limit.count)
            expect(self.peek(step[1].limit, "also", cost=0).remaining, 1000 - limit.count)

    def test_a_caller_that_gives_up_leaves_nothing_half_spent(self) -> None:
        """Cancelled before its turn it has spent nothing, and after it everything."""
        asks = [Ask("s", parse("9/d")), Ask("s", parse("at most 9 in 1d"))]
        self.store.take(asks).close()
        if not self.driven:
            self.runner.run(self._cancel_some(asks, 5))
        left = [verdict.remaining for verdict in self.run(self.store.peek([a._replace(cost=0) for a in asks]))]
        expect((left[0], left[0] in range(4, 10)), (left[1], True))

    def test_equally_greedy_clients_get_equal_shares(self) -> None:
        """Within a tenth, whoever comes first each time."""
        random, got = self.draws(4), [0] * 4
        for _ in range(2_000):
            for client in random.sample(range(4), 4):
                got[client] += self.one("1000/s burst 10", "shared").allowed
            self.clock.advance(1_000)
        expect(max(got) <= 1.1 * sum(got) / 4 <= 1.21 * min(got), True)

    def test_resetting_a_subject_forgets_it_and_nobody_else(self) -> None:
        """Under every limit at once."""
        for limit in self.every_limit():
            self.spend_all(limit, "mine")
            self.spend_all(limit, "yours")
            self.run(self.store.reset("mine"))
            self.run(self.store.reset("nobody"))
            expect((self.spend_all(limit, "mine"), self.spend_all(limit, "yours")), (limit.burst, 0))

    def test_a_step_of_nothing_spends_nothing(self) -> None:
        """A route without limits."""
        expect(list(self.take()), [])
        expect(list(self.run(self.store.peek([]))), [])

    async def _cancel_some(self, asks: Sequence[Ask], count: int) -> None:
        tasks = [asyncio.ensure_future(self.store.take(asks)) for _ in range(count)]
        tasks[0].cancel()
        await asyncio.sleep(0)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
