"""The controller alone, and at work on a simulated service in virtual time."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from garrison.limits.adaptive import INTERVAL, LEAST, TARGET, adapted
from garrison.model.units import MILLISECOND, SECOND

LIMITS = st.integers(1, 5_000)
WAITS = st.integers(0, 60 * SECOND)


@given(LIMITS, LIMITS, WAITS, st.integers(0, 5_000), st.booleans())
def test_it_stays_between_something_and_the_most(limit: int, most: int, wait: int, peak: int, held: bool) -> None:
    """Zero would let nobody in, and nothing would ever be measured again."""
    limit = min(limit, most)

    assert LEAST <= adapted(limit, most, wait=wait, peak=peak, held=held) <= most


@given(LIMITS, st.integers(TARGET + 1, 60 * SECOND), LIMITS, st.booleans())
def test_too_long_a_wait_lets_fewer_in_and_not_too_few(limit: int, wait: int, peak: int, held: bool) -> None:
    """Fewer than there were, since a limit that was not reached held nobody back; a quarter of that at least."""
    there = min(limit, peak)
    after = adapted(limit, 5_000, wait=wait, peak=peak, held=held)

    assert after < there or after == there == LEAST
    assert after >= there // 4


@given(LIMITS, st.integers(0, TARGET), st.integers(0, 5_000))
def test_no_wait_lets_more_in_by_one_where_somebody_was_held_back(limit: int, wait: int, peak: int) -> None:
    assert adapted(limit, 5_001, wait=wait, peak=peak, held=True) == limit + 1


@given(LIMITS)
def test_a_limit_that_holds_nobody_back_is_gone_in_five_seconds(most: int) -> None:
    """A spell of overload, or one bad second of a machine, must not be felt long after."""
    limit = LEAST

    for _ in range(5 * SECOND // INTERVAL):
        limit = adapted(limit, most, wait=0, peak=0, held=False)

    assert limit == most


def test_the_target_is_the_policy_s() -> None:
    assert adapted(8, 100, wait=9, peak=8, held=True, target=10) == 9
    assert adapted(8, 100, wait=11, peak=8, held=True, target=10) == 7


class Service:
    """Eight workers of 50 ms each, exponentially: 160 a second. Who is inside and has no worker waits for one."""

    def __init__(self, seed: int, *, controlled: bool) -> None:
        self._random = Random(seed)
        self._controlled = controlled
        self.limit = self._most = 2_000
        self.now = 0
        self._arrived: deque[int] = deque()
        self._ends: list[tuple[int, int]] = []
        self._waits: list[int] = []
        self._peak, self._held = 0, False
        self._next_decision = INTERVAL

    def run(self, rate: float, seconds: int, speed: float = 1.0) -> float:
        """Ask at a rate for a while; give how many a second had their answer within a second."""
        until, good = self.now + seconds * SECOND, 0
        comes = self.now + self._gap(rate)
        while min(comes, *(end for end, _ in self._ends[:1]), until) < until:
            if self._ends and self._ends[0][0] <= comes:
                self.now, arrived = heappop(self._ends)
                good += self.now - arrived <= SECOND
            else:
                self.now = comes
                comes += self._gap(rate)
                self._arrive()
            self._work(speed)
            self._decide()
        self.now = until
        return good / seconds

    def _gap(self, rate: float) -> int:
        return max(1, int(self._random.expovariate(rate) * SECOND))

    def _arrive(self) -> None:
        inside = len(self._arrived) + len(self._ends)
        if self._controlled and inside >= self.limit:
            self._held = True
            return
        self._arrived.append(self.now)
        self._peak = max(self._peak, inside + 1)

    def _work(self, speed: float) -> None:
        while self._arrived and len(self._ends) < 8:
            arrived = self._arrived.popleft()
            self._waits.append(self.now - arrived)
            heappush(self._ends, (self.now + int(self._random.expovariate(20 * speed) * SECOND), arrived))

    def _decide(self) -> None:
        while self.now >= self._next_decision:
            wait = min(self._waits, default=0)
            self.limit = adapted(self.limit, self._most, wait=wait, peak=self._peak, held=self._held)
            self._waits, self._peak, self._held = [], len(self._arrived) + len(self._ends), False
            self._next_decision += INTERVAL


def test_overload_costs_nothing_of_what_can_be_served() -> None:
    """Normal, three times too much, normal, a slow spell, normal: what research measured, with bounds on both sides."""
    for seed in range(3):
        service = Service(seed, controlled=True)

        assert 90 <= service.run(100, 20) <= 110
        assert 0.95 * 160 <= service.run(480, 40) <= 1.1 * 160
        assert 90 <= service.run(100, 20) <= 110
        assert 0.9 * 64 <= service.run(120, 20, speed=0.4) <= 1.15 * 64
        assert 100 <= service.run(120, 20) <= 135


def test_without_control_nothing_is_answered_in_time() -> None:
    """The rival of the test above: without it, a simulation that forgives everything would pass."""
    service = Service(0, controlled=False)
    service.run(100, 20)

    assert service.run(480, 40) < 16


def test_little_traffic_does_not_wear_the_limit_down() -> None:
    service = Service(1, controlled=True)
    service.run(5, 60)

    assert service.limit == 2_000
    assert TARGET == 25 * MILLISECOND
