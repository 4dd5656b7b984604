"""Plays a history to one algorithm, as a store would, without a store."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from garrison.limits import Limit, Verdict
from garrison.limits.algorithms import SPEND, State

NOON = 10**15
"""Microseconds; any instant does."""


class Counter:
    """One counter of one limit."""

    def __init__(self, limit: Limit, now: int = NOON) -> None:
        self.limit = limit
        self.now = now
        self.state: State | None = None
        self.leases = 0

    def spend(self, cost: int = 1) -> Verdict:
        self.leases += 1
        kept, verdict = SPEND[self.limit.algorithm](self.state, self.now, self.limit, cost, self.leases)
        if kept is not None and (cost or not verdict.allowed):
            self.state = kept
        return verdict

    def look(self, cost: int = 1) -> Verdict:
        return SPEND[self.limit.algorithm](self.state, self.now, self.limit, cost, self.leases)[1]

    def play(self, steps: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Wait and spend, and so on; gives instant and cost of what passed."""
        passed = []
        for pause, cost in steps:
            self.now += pause
            if self.spend(cost).allowed:
                passed.append((self.now, cost))
        return passed


def histories(window: int, most: int = 60) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Draw pauses around the window and its parts, and costs."""
    pauses = st.one_of(
        st.just(0),
        st.integers(0, 3),
        st.integers(0, window // 16 + 1),
        st.integers(0, window),
        st.sampled_from((window - 1, window, window + 1, window // 2)),
    )
    return st.lists(st.tuples(pauses, st.sampled_from((1, 1, 1, 1, 2, 3, 0))), max_size=most)
