"""How often keys are used, and how often they may be: counted in batches, and never twice."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.credentials.key_record import ALLOWANCES, KEEP, USES, Allowance
from garrison.credentials.keys.allowances import BLOCK, Allowances
from garrison.credentials.keys.uses import BATCH, Uses
from garrison.guard.drive import drive
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.protocols import Outcome, Put, Step
from garrison.testing.clock import ManualClock
from tests.credentials.world import MINUTE, START, Counting

NOON = START - START % MINUTE


def _store(face: type[Counting] = Counting) -> Counting:
    return face(MemoryRecords(ManualClock(), bytes(32)))


def _stored(records: Counting, secret: str) -> Any:
    return drive(records.inner.get(USES, secret))


@pytest.mark.parametrize(("secrets", "commits"), [(0, 0), (1, 1), (200, 1), (201, 2)])
def test_two_hundred_secrets_are_one_commit(secrets: int, commits: int) -> None:
    records = _store()
    uses = Uses(records)
    for number in range(secrets):
        uses.note(f"{number:012}", NOON)

    assert drive(uses.flush()) == secrets
    assert BATCH == 200
    assert len(records.commits) == commits
    assert drive(uses.flush()) == 0


def test_the_last_use_is_known_to_the_minute_and_never_goes_back() -> None:
    records = _store()
    uses = Uses(records)
    for now, last in ((NOON + MINUTE - 1, NOON), (NOON + MINUTE, NOON + MINUTE), (NOON, NOON + MINUTE)):
        uses.note("0123456789ab", now)
        assert uses.recent("0123456789ab")
        drive(uses.flush())
        assert not uses.recent("0123456789ab")
        use = _stored(records, "0123456789ab")
        assert (use.key, use.last, use.purge) == ("0123456789", last, last + KEEP)


@pytest.mark.parametrize(("counted", "timed"), [(True, False), (False, True)])
def test_a_thread_that_notes_while_it_is_gathered_loses_at_most_half_a_note(counted: bool, timed: bool) -> None:
    uses = Uses(_store())
    if counted:
        uses._counts["a"] += 1
    if timed:
        uses._last["a"] = MINUTE
    uses._gather()

    use = uses._carried["a"]
    assert (use.count, use.last) == (int(counted), MINUTE * timed)


class Overtaken(Counting):
    """A store where somebody else is faster for a while."""

    left = 0

    async def commit(self, steps: Any, events: Any = ()) -> Outcome:
        if self.left > 0:
            self.left -= 1
            self.commits.append(tuple(steps))
            return Outcome(done=False, failed=0, condition="version")
        return await super().commit(steps, events)


@pytest.mark.parametrize(("overtaken", "flushed", "commits"), [(2, 1, 3), (3, 0, 3)])
def test_who_is_overtaken_three_times_waits_for_the_next_flush(overtaken: int, flushed: int, commits: int) -> None:
    """And loses no count."""
    records = _store(Overtaken)
    assert isinstance(records, Overtaken)
    records.left = overtaken
    uses = Uses(records)
    uses.note("a", NOON)

    assert drive(uses.flush()) == flushed
    assert len(records.commits) == commits
    drive(uses.flush())
    assert _stored(records, "a").count == 1


def _numbered(uses: int) -> tuple[Counting, Allowances]:
    records = _store()
    assert drive(records.inner.commit([Put(ALLOWANCES, Allowance(id="k", left=uses))])).done
    return records, Allowances(records)


def _left(records: Counting) -> int:
    left: int = drive(records.inner.get(ALLOWANCES, "k")).left
    return left


@pytest.mark.parametrize(
    ("uses", "believed", "left"), [(0, False, 0), (1, True, 0), (50, True, 49), (99, True, 98), (100, True, 50)]
)
def test_a_block_is_taken_while_twice_as_many_are_left(uses: int, believed: bool, left: int) -> None:
    """The last ones are taken one by one, so that no process holds what another needs."""
    records, allowances = _numbered(uses)

    assert drive(allowances.spend("k")) is believed
    assert _left(records) == left


def test_a_block_is_spent_in_memory_to_its_last() -> None:
    records, allowances = _numbered(1000)
    for _ in range(BLOCK):
        assert drive(allowances.spend("k"))
    assert _left(records) == 1000 - BLOCK

    assert drive(allowances.spend("k"))
    assert _left(records) == 1000 - 2 * BLOCK


def test_what_is_spent_to_its_last_is_not_given_back() -> None:
    records, allowances = _numbered(1000)
    for _ in range(BLOCK):
        drive(allowances.spend("k"))
    records.commits.clear()
    for _ in range(3):
        drive(allowances.give_back(everything=True))

    assert records.commits == []
    assert _left(records) == 1000 - BLOCK


def _steps(records: Counting) -> list[Step]:
    return [step for steps in records.commits for step in steps]


def test_only_what_is_idle_is_given_back_and_once() -> None:
    records, allowances = _numbered(1000)
    for _ in range(3):
        drive(allowances.spend("k"))
        drive(allowances.give_back())
    assert _left(records) == 1000 - BLOCK
    for _ in range(3):
        drive(allowances.give_back())

    assert _left(records) == 997
    assert len(_steps(records)) == 2
