"""What every store promises when many want the same at once: for each condition, as many winners as there may be.

Part of `garrison.testing.RecordsContract`.
"""

from __future__ import annotations

import asyncio

from garrison.stores.protocols import Add, Consume, Fewer, Outcome, Put, Require, Step
from garrison.testing.store_case import RACERS, THING, StoreCase, Thing, Work, expect

__all__ = ["RacesContract"]


class RacesContract(StoreCase):
    """Threads on the driven face, tasks on the awaited one."""

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
