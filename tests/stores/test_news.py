"""News is heard once, read from where one stopped, and trusted only while it is fresh."""

from __future__ import annotations

import pytest

from garrison.guard.drive import drive
from garrison.model.units import SECOND
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import FRESH, KEPT, POLL, News
from garrison.testing.clock import ManualClock


class Ear:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, value: str, at: int) -> None:
        self.heard.append(value)


class World:
    """A store, a process that writes, one that listens."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.records = MemoryRecords(self.clock, bytes(range(32)))
        self.here, self.there, self.ear = News(), News(), Ear()
        self.there.listen("key", self.ear.hear)
        self.poll()

    def write(self, value: str) -> None:
        drive(self.records.commit([self.here.step("key", value, self.clock.wall(), value)]))

    def poll(self) -> None:
        drive(self.there.poll(self.records, self.clock.wall(), self.clock.monotonic()))

    @property
    def fresh(self) -> bool:
        return self.there.fresh(self.clock.monotonic())


def test_each_piece_is_heard_once() -> None:
    world = World()
    world.write("a")

    for _ in range(5):
        world.poll()
        world.clock.advance(SECOND)

    assert world.ear.heard == ["a"]


@pytest.mark.parametrize("seconds", [1, 6, 60, 3_000])
def test_what_was_missed_is_heard_however_long_one_was_deaf(seconds: int) -> None:
    """A stalled process must not believe a key that was revoked at the beginning of its stall."""
    world = World()
    world.write("missed")

    world.clock.advance(seconds * SECOND)
    world.poll()

    assert world.ear.heard == ["missed"]
    assert world.fresh


def test_whoever_was_deaf_for_longer_than_news_is_kept_never_trusts_memory_again() -> None:
    world = World()

    world.clock.advance(KEPT)
    world.poll()
    world.poll()

    assert not world.fresh


def test_news_is_fresh_for_a_second_and_no_longer() -> None:
    world = World()

    world.clock.advance(FRESH - 1)
    assert world.fresh
    world.clock.advance(1)
    assert not world.fresh


def test_a_wall_clock_that_steps_back_hides_nothing() -> None:
    world = World()
    world.clock.step(-30 * SECOND)
    world.write("late")

    world.poll()

    assert world.ear.heard == ["late"]


@pytest.mark.parametrize("seconds", [6, 900, 3_500, 7_200, -6, -900, -7_200])
def test_a_reader_whose_clock_was_set_hears_everybody_or_trusts_nothing(seconds: int) -> None:
    """Set forward, it must not wait for news of the future while others write those of now."""
    world = World()
    skew = seconds * SECOND
    for number in range(20):
        world.clock.advance(POLL)
        drive(world.there.poll(world.records, world.clock.wall() + skew, world.clock.monotonic()))
        world.write(str(number))
    world.clock.advance(POLL)
    drive(world.there.poll(world.records, world.clock.wall() + skew, world.clock.monotonic()))

    assert world.ear.heard == [str(number) for number in range(20)] or not world.fresh


@pytest.mark.parametrize("seconds", [-6, -900, -7_200, 900])
def test_a_writer_whose_clock_was_set_is_heard(seconds: int) -> None:
    """Set back, it must not file its news where the others have read already."""
    world = World()
    drive(world.here.poll(world.records, world.clock.wall(), world.clock.monotonic()))
    for _ in range(30):
        world.clock.advance(POLL)
        world.poll()
        drive(world.here.poll(world.records, world.clock.wall() + seconds * SECOND, world.clock.monotonic()))

    at = world.clock.wall() + seconds * SECOND
    drive(world.records.commit([world.here.step("key", "late", at, "late")]))
    world.poll()

    assert world.ear.heard == ["late"]


def test_a_listener_that_is_gone_is_not_kept() -> None:
    world = World()
    gone = Ear()
    world.there.listen("key", gone.hear)
    del gone
    world.write("a")

    world.poll()

    assert world.ear.heard == ["a"]
