"""Clocks that are set: properties 13 and 14."""

from __future__ import annotations

from garrison.model.units import DAY, SECOND
from garrison.testing.counting.case import CountersCase
from garrison.testing.store_case import expect

__all__ = ["Clocks"]


class Clocks(CountersCase):
    """No step of a clock grants anything back, or locks anybody out."""

    def test_a_clock_set_back_grants_nothing_and_locks_nobody_out(self) -> None:
        """By any step; the wait is at most what a spent limit costs anyway."""
        for back in (1, SECOND, DAY, 400 * DAY):
            for limit in self.every_limit():
                self.clock.jump(500 * DAY)
                self.spend_all(limit)
                self.clock.jump(-back)
                expect(self.spend_all(limit), 0)
                self.clock.advance(limit.drain)
                expect(self.spend_all(limit), limit.burst)

    def test_a_clock_set_back_loses_nothing_of_what_is_left(self) -> None:
        """Half spent stays at most half spent for longer than a wait, and grants no more than the other half."""
        for limit in self.every_limit():
            self.clock.jump(500 * DAY)
            left = self.one(limit).remaining
            self.clock.jump(-DAY)
            expect(self.spend_all(limit) <= left, True)
            self.clock.advance(limit.drain)
            expect(self.spend_all(limit), limit.burst)

    def test_a_clock_set_forward_grants_one_full_limit_at_most(self) -> None:
        """Also when it is set right again afterwards."""
        for limit in self.every_limit():
            self.spend_all(limit)
            self.clock.jump(400 * DAY)
            expect(self.spend_all(limit), limit.burst)
            self.clock.jump(-400 * DAY)
            expect(self.spend_all(limit), 0)
