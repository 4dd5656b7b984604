"""The contract bites: each defect that counter stores are known for fails it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from garrison.errors import GarrisonError
from garrison.limits import Ask, Verdict
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing import CountersContract, ManualClock


class SpendsOneByOne(MemoryCounters):
    """What one limit denies, the others have paid for."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return [MemoryCounters.take_now(self, [ask])[0] for ask in asks]


class TakesAnyCost(MemoryCounters):
    """A negative cost passes."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return super().take_now([ask._replace(cost=max(ask.cost, 0)) if ask.cost else ask for ask in asks])


class CountsLimitsApart(MemoryCounters):
    """A changed limit begins with a fresh quota."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return super().take_now([ask._replace(subject=f"{ask.subject} {ask.limit.count}") for ask in asks])


class MergesSubjects(MemoryCounters):
    """Names that differ in case share a counter."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return super().take_now([ask._replace(subject=ask.subject.lower()) for ask in asks])


class LooksByTaking(MemoryCounters):
    """A look spends."""

    def peek_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return self.take_now(asks)


class RoundsWaits(MemoryCounters):
    """Whole seconds, rounded down."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        verdicts = super().take_now(asks)
        return [v._replace(retry_after=v.retry_after // 1_000_000 * 1_000_000) for v in verdicts]


class FollowsTheWall(MemoryCounters):
    """A clock that is set back locks everybody out, or forgives."""

    def take_now(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return super().take_now([ask._replace(subject=f"{ask.subject} {self._monotonic() >> 40}") for ask in asks])


class GivesBackAnything(MemoryCounters):
    """A late request frees the place of its successor."""

    async def release(self, asks: Sequence[Ask]) -> None:
        for ask in asks:
            await self.reset(ask.subject)


@pytest.mark.parametrize(
    "defective",
    [
        SpendsOneByOne,
        TakesAnyCost,
        CountsLimitsApart,
        MergesSubjects,
        LooksByTaking,
        RoundsWaits,
        FollowsTheWall,
        GivesBackAnything,
    ],
)
def test_a_store_with_a_known_defect_does_not_pass(defective: type[MemoryCounters]) -> None:
    """At least one promise is found broken."""

    class Contract(CountersContract):
        def open(self, clock: ManualClock) -> MemoryCounters:
            return defective(clock)

    broken = [name for name in dir(Contract) if name.startswith("test_") and not _holds(Contract(), name)]

    assert broken


def _holds(contract: CountersContract, name: str) -> bool:
    contract.setup_method()
    try:
        getattr(contract, name)()
    except (AssertionError, GarrisonError):
        return False
    finally:
        contract.teardown_method()
    return True
