"""What a process decides by itself never passes what the shared counters would not have passed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from secrets import token_bytes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import StoreError, UsageError
from garrison.guard.drive import drive
from garrison.limits import Ask, Limit, Verdict, parse
from garrison.model.units import MINUTE, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.near.breaker import FAULTS, FORGOTTEN
from garrison.stores.near.counters import Near, NearCounters
from garrison.stores.near.denials import LONGEST
from garrison.stores.near.leases import LARGEST, LIFE, SOON, Leases, largest
from garrison.stores.near.share import share
from garrison.stores.recorded import MEANWHILE, RecordCounters
from garrison.testing import ManualClock
from garrison.testing.counting.case import EVERY_LIMIT


class Shared:
    """Counters in memory behind a wire that can be cut, and that counts the calls."""

    def __init__(self, clock: ManualClock) -> None:
        self.counters = MemoryCounters(clock)
        self.cut = False
        self.falls_at = ""
        self.meanwhile: list[Callable[[], object]] = []
        self.calls = 0

    def asked(self) -> MemoryCounters:
        """Answer, or not."""
        self.calls += 1
        if self.cut:
            raise StoreError("counters")
        return self.counters

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        if asks[0].subject == self.falls_at:
            raise StoreError("counters")
        while self.meanwhile and asks[0].subject == "s":
            self.meanwhile.pop()()
        return self.asked().take_now(asks)

    async def peek(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        return self.asked().peek_now(asks)

    async def release(self, asks: Sequence[Ask]) -> None:
        await self.asked().release(asks)

    async def reset(self, subject: str) -> None:
        await self.asked().reset(subject)


class Fleet:
    """Processes that share counters and records."""

    def __init__(self, processes: int = 1, *, spared: bool = True) -> None:
        self.clock = ManualClock()
        self.shared = Shared(self.clock)
        self.records = MemoryRecords(self.clock, b"k" * 32).driven()
        self.near = [Near(MemoryCounters(self.clock), self.clock, processes) for _ in range(processes)]
        self.counters = [NearCounters(near, self.shared, self.spare(near) if spared else None) for near in self.near]

    def spare(self, near: Near) -> RecordCounters:
        """Count in records meanwhile."""
        return RecordCounters(self.records, self.clock, token_bytes, MEANWHILE, lambda: near.breaker.since)

    def passes(self, limit: str, process: int = 0, subject: str = "s", cost: int = 1) -> bool:
        """Ask for one request."""
        return drive(self.counters[process].take([Ask(subject, parse(limit), cost)]))[0].allowed

    def all_pass(self, limit: str, process: int = 0) -> int:
        """Ask until it is refused; gives how many passed."""
        passed = 0
        while self.passes(limit, process):
            passed += 1
        return passed

    def heal(self) -> None:
        """Let every process ask again."""
        for counters in self.counters:
            drive(counters.heal())


@pytest.mark.parametrize("limit", [limit for limit in EVERY_LIMIT if "at once" not in limit])
def test_a_refusal_is_told_again_without_asking_until_it_is_over(limit: str) -> None:
    """To the microsecond, with the wait that is left; a flood of refused requests asks once a second at most."""
    fleet = Fleet()
    fleet.all_pass(limit)
    first = drive(fleet.counters[0].take([Ask("s", parse(limit))]))[0]
    wait = min(first.retry_after, LONGEST)
    fleet.clock.advance(wait - 1)
    calls = fleet.shared.calls
    again = drive(fleet.counters[0].take([Ask("s", parse(limit))]))[0]

    assert (fleet.shared.calls, again.allowed) == (calls, False)
    assert again.retry_after == first.retry_after - (wait - 1)
    fleet.clock.advance(1)
    assert fleet.passes(limit) is (first.retry_after <= LONGEST)
    assert fleet.shared.calls == calls + 1


def test_a_place_that_may_be_given_back_is_asked_for_each_time() -> None:
    """Nobody knows when."""
    fleet = Fleet()
    asks = [Ask("s", parse("1 at once"))]
    lease = drive(fleet.counters[0].take(asks))[0].lease
    assert not fleet.passes("1 at once")
    drive(fleet.shared.counters.release([asks[0]._replace(lease=lease)]))
    assert fleet.passes("1 at once")


def test_a_reset_is_heard_here_at_once_and_elsewhere_within_a_second() -> None:
    fleet = Fleet(2)
    for process in (0, 1):
        fleet.all_pass("at most 5 in 1d", process)
    drive(fleet.counters[0].reset("s"))
    assert fleet.passes("at most 5 in 1d", 0)
    assert not fleet.passes("at most 5 in 1d", 1)
    fleet.clock.advance(LONGEST)
    assert fleet.passes("at most 5 in 1d", 1)


def test_a_raised_limit_is_heard_with_the_policy_that_raises_it() -> None:
    """A refusal belongs to the numbers that refused."""
    fleet = Fleet()
    fleet.all_pass("at most 5 in 1d as n")
    assert fleet.passes("at most 6 in 1d as n")


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 1, SOON, LIFE, SECOND]), st.integers(1, 3)), max_size=200
    ),
    st.sampled_from(["40/s burst 60 fast", "1000/s fast", "3/m fast"]),
)
def test_processes_with_leases_never_pass_more_than_without(plays: list[tuple[int, int, int]], limit: str) -> None:
    """At no instant, whoever asks when; and whoever asks alone loses at most what one lease held."""
    fleet, alone = Fleet(3), MemoryCounters(clock := ManualClock())
    passed = 0
    for process, wait, cost in plays:
        fleet.clock.advance(wait)
        clock.advance(wait)
        passed += cost * fleet.passes(limit, process, cost=cost)
        # What all of them could have had until now: everything the limit gave, greedily.
        while alone.take_now([Ask("s", parse(limit))])[0].allowed:
            passed -= 1
        assert passed <= 0


@pytest.mark.parametrize("processes", [1, 4, 100])
def test_a_busy_fast_limit_asks_for_many_at_once_and_passes_exactly_the_burst(processes: int) -> None:
    """One call for up to 256, fewer where many processes share a small burst."""
    fleet, burst = Fleet(processes), 100_000
    limit = f"1/s burst {burst} fast"
    assert fleet.all_pass(limit) == burst
    most = largest(parse(limit), processes)
    assert most == min(LARGEST, burst // (4 * processes))
    assert fleet.shared.calls < burst // most + 60


def test_what_is_taken_in_advance_is_lost_after_its_time() -> None:
    """So that what one second gave cannot pass in the next; and then less is taken."""
    fleet = Fleet()
    limit = "1/h burst 100 fast"
    for _ in range(20):
        fleet.passes(limit)
    left = fleet.shared.counters.peek_now([Ask("s", parse(limit), 0)])[0].remaining
    fleet.clock.advance(LIFE)
    assert fleet.all_pass(limit) == left < 80


def test_what_little_is_left_is_not_held_by_anybody() -> None:
    """The last request of a burst passes, whatever a lease would have liked to take."""
    for burst in range(1, 70):
        assert Fleet().all_pass(f"1/h burst {burst} fast") == burst


@pytest.mark.parametrize("cost", [True, -1, 1.0, "1"])
def test_a_cost_that_is_no_whole_number_is_refused_in_every_way(cost: Any) -> None:
    """A negative one would fill a lease."""
    fleet = Fleet()
    for limit in ("9/s fast", "9/s", "9/s local"):
        for _ in range(4):
            fleet.passes(limit)
        for what in (fleet.counters[0].take, fleet.counters[0].peek):
            with pytest.raises(UsageError):
                drive(what([Ask("s", parse(limit), cost)]))


def test_a_caller_who_gives_up_while_a_lease_is_taken_leaves_it_to_the_next() -> None:
    """Otherwise nobody would take in advance any more."""

    class Slow(Shared):
        async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
            await asyncio.sleep(0)
            return await super().take(asks)

    fleet = Fleet()
    slow = Slow(fleet.clock)
    counters = NearCounters(fleet.near[0], slow)
    asks = [Ask("s", parse("1/s burst 1000 fast"))]

    async def play() -> None:
        task = asyncio.ensure_future(counters.take(asks))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(200):
            await counters.take(asks)

    asyncio.run(play())
    assert slow.calls < 30


LOCAL = [limit for limit in EVERY_LIMIT if parse(limit).burst >= 4]


@pytest.mark.parametrize("limit", LOCAL)
def test_processes_that_count_alone_pass_no_more_than_the_limit_together(limit: str) -> None:
    """And at least half of it: a part is a whole number."""
    fleet = Fleet(4)
    passed = sum(fleet.all_pass(f"{limit} local", process) for process in range(4))
    assert parse(limit).burst / 2 < passed <= parse(limit).burst
    assert fleet.shared.calls == 0


@given(st.integers(1, 1000), st.integers(1, 400 * 24 * 60), st.integers(1, 1000), st.integers(1, 50))
def test_the_parts_of_a_limit_are_never_more_than_the_whole(count: int, minutes: int, burst: int, parts: int) -> None:
    """Neither at once nor in the long run."""
    window = min(minutes, 366 * 24 * 60) * MINUTE
    rate = Limit(count=count, window=window, burst=burst)
    for whole in (rate, Limit(count=count, window=window, algorithm="window")):
        part = share(whole, parts)
        assert part.burst * parts <= whole.burst
        assert part.count * parts * whole.window <= whole.count * part.window
        assert (part.count == 0) is (whole.burst < parts or part.count < 1)


def test_a_step_of_several_limits_spends_all_or_none_wherever_they_are_counted() -> None:
    """Here, there, or in advance: what one of them refuses costs the others nothing."""
    fleet = Fleet(2)
    both = [Ask("s", parse(limit)) for limit in ("at most 9 in 1d", "4 per calendar day local", "9/d fast")]

    said = [drive(fleet.counters[0].take(both)) for _ in range(3)]

    assert [[verdict.allowed for verdict in verdicts] for verdicts in said] == [[True] * 3] * 2 + [[True, False, True]]
    left = fleet.shared.counters.peek_now([both[0]._replace(cost=0), both[2]._replace(cost=0)])
    assert [verdict.remaining for verdict in left] == [7, 7]


# Counters that do not answer.


@pytest.mark.parametrize(
    ("limit", "passed"),
    [
        ("40 per calendar day else closed", None),
        ("40 per calendar day else open", 200),
        ("40 per calendar day else local", 5),
        ("40 per calendar day", 0),
        ("40/s burst 40", 0),
        ("40 per calendar day local", 10),
    ],
)
def test_each_limit_says_what_happens_without_its_counters(limit: str, passed: int | None) -> None:
    """One of four processes, of a subject that has spent half: `local` goes on from there, `records` trusts nobody."""
    fleet = Fleet(4)
    if "local" not in limit or "else" in limit:
        for _ in range(20):
            assert fleet.passes(limit)
    fleet.shared.cut = True
    if passed is None:
        with pytest.raises(StoreError):
            fleet.passes(limit)
        return
    assert sum(fleet.passes(limit) for _ in range(200)) == passed


def test_without_records_either_nothing_passes() -> None:
    """To pass what cannot be counted would be a way around every limit: fell the server, and guess on."""
    fleet = Fleet(spared=False)
    fleet.shared.cut = True
    with pytest.raises(StoreError):
        fleet.passes("9/s")


def test_the_strictest_limit_of_a_step_decides_what_happens() -> None:
    """One that is closed is not passed because another one is open."""
    fleet = Fleet()
    fleet.shared.cut = True
    with pytest.raises(StoreError):
        drive(fleet.counters[0].take([Ask("s", parse("9/s else open")), Ask("s", parse("9/m else closed"))]))


def test_counters_that_do_not_answer_are_not_asked_until_a_probe_is_answered() -> None:
    """No request waits for one; the probe does."""
    fleet = Fleet()
    fleet.shared.cut = True
    for _ in range(10):
        fleet.passes("9/s else open")
    assert fleet.shared.calls == FAULTS
    fleet.heal()
    assert fleet.near[0].breaker.open
    fleet.shared.cut = False
    fleet.passes("9/s else open")
    assert fleet.shared.calls == FAULTS + 1
    fleet.heal()
    assert not fleet.near[0].breaker.faults
    fleet.passes("9/s else open")
    assert fleet.shared.calls == FAULTS + 3


@pytest.mark.parametrize("limit", ["10/s burst 30", "at most 30 in 1m", "at most 300 in 1m", "30 per calendar day"])
def test_an_outage_gives_nobody_more_than_the_limit(limit: str) -> None:
    """Three processes, of which each sees it begin and end at its own time, and nobody knows what the others spent."""
    fleet = Fleet(3)
    alone = MemoryCounters(fleet.clock)
    whole, passed = parse(limit), 0

    def play() -> None:
        nonlocal passed
        for process in range(3):
            passed += fleet.all_pass(limit, process)
        while alone.take_now([Ask("s", whole)])[0].allowed:
            passed -= 1
        assert passed <= 0

    for _ in range(5):
        play()
        fleet.clock.advance(SECOND // 2)
        fleet.shared.cut = True
        for _ in range(7):
            play()
            fleet.clock.advance(SECOND)
        fleet.shared.cut = False
        for counters in fleet.counters:
            drive(counters.heal())
            for _ in range(3):
                play()
                fleet.clock.advance(SECOND // 20)
        assert not any(near.breaker.faults for near in fleet.near)
        play()
        fleet.clock.advance(LONGEST)


def test_nobody_spends_there_before_what_passed_meanwhile_is_told() -> None:
    """A process that comes back while another hands over would take what the others have had: 503 for a moment."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    for process in (0, 1):
        fleet.passes("9/m", process)
    fleet.clock.advance(MINUTE)
    assert fleet.all_pass("9/m") == 9
    fleet.shared.cut = False
    seen: list[bool | None] = []

    def other() -> None:
        """The second process, just before the first one's hand-over arrives."""
        drive(fleet.counters[1].heal())
        try:
            seen.append(fleet.passes("9/m", 1))
        except StoreError:
            seen.append(None)

    fleet.shared.meanwhile = [other]
    drive(fleet.counters[0].heal())
    drive(fleet.counters[1].heal())

    assert seen == [False]
    assert [fleet.passes("9/m", process) for process in (0, 1)] == [False, False]
    fleet.clock.advance(MINUTE)
    assert fleet.all_pass("9/m", 0) + fleet.all_pass("9/m", 1) == 9


def test_a_limit_that_the_server_cannot_count_keeps_no_other_from_being_told() -> None:
    """The records count any; and an error that nobody thought of loses nothing either."""
    for error in (UsageError("rounder count"), RuntimeError()):
        fleet = Fleet()
        fleet.shared.cut = True
        for subject in ("a", "m", "s", "z"):
            fleet.passes("9/m", subject=subject)
        fleet.clock.advance(MINUTE)
        for subject in ("a", "m", "s", "z"):
            assert fleet.passes("9/m", subject=subject, cost=9)
        fleet.shared.cut = False
        fleet.shared.meanwhile = [lambda error=error: fails(error)]  # type: ignore[misc]  # mypy takes it for a method's
        with suppress(RuntimeError):
            fleet.heal()
        fleet.heal()
        assert not fleet.near[0].breaker.open
        assert not any(fleet.passes("9/m", subject=subject) for subject in ("a", "m", "z"))


def fails(error: Exception) -> None:
    """Raise, where only an expression may stand."""
    raise error


def test_a_step_that_ends_after_the_hand_over_is_handed_over_next() -> None:
    """It was under way all the time, in a slow thread."""
    fleet = Fleet()
    fleet.shared.cut = True
    fleet.passes("9/m")
    fleet.shared.cut = False
    fleet.heal()
    near = fleet.near[0]
    assert not near.breaker.open
    near.breaker.counted += 1
    near.breaker.missed = True
    assert near.breaker.open
    fleet.heal()
    assert not near.breaker.open


def test_a_limit_that_observes_takes_nothing_in_advance() -> None:
    """It says that everything passes, also what was not taken: that would be spent when it is enforced."""
    fleet = Fleet()
    fleet.all_pass("1/h burst 64")
    watched = [Ask("s", parse("1/h burst 64 observe fast"))]
    said = [drive(fleet.counters[0].take(watched))[0] for _ in range(100)]

    assert all(verdict.allowed and verdict.retry_after for verdict in said)
    assert not fleet.passes("1/h burst 64 fast")


def test_a_lease_that_is_forgotten_on_its_way_gives_nothing() -> None:
    """A reset, or many younger ones, in just that moment."""
    leases, asks = Leases(1), (Ask("s", parse("1/h burst 10000 fast")),)
    wishes = []
    taken = 0
    for number in range(12):
        wish = leases.wish(asks, number)
        assert wish is not None
        wishes.append(wish)
        leases.forget("s")
    for wish in wishes:
        leases.taken(wish, [Verdict(True, 100, 0, 1)], 100)
        taken += wish.more[0]
    spent = 0
    while leases.spend(asks, 101) is not None:
        spent += 1
    assert spent <= taken


def test_a_refusal_of_an_outage_is_forgotten_when_it_is_over() -> None:
    fleet = Fleet(4)
    assert fleet.passes("at most 4 in 1h else local")
    fleet.shared.cut = True
    fleet.all_pass("at most 4 in 1h else local")
    for _ in range(FAULTS):
        fleet.passes("9/s else open")
    fleet.shared.cut = False
    fleet.heal()
    assert fleet.passes("at most 4 in 1h else local")


def test_a_process_that_dies_while_it_hands_over_keeps_nobody_waiting_for_long() -> None:
    """Its mark is taken for another one's for five seconds."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    fleet.passes("9/m", 1)
    drive(fleet.spare(fleet.near[0])._mark(None, began=0, handing=True))
    fleet.shared.cut = False
    drive(fleet.counters[1].heal())
    assert fleet.near[1].breaker.open
    fleet.clock.advance(5 * SECOND)
    drive(fleet.counters[1].heal())
    assert not fleet.near[1].breaker.open


def test_a_process_that_alone_cannot_reach_them_passes_nothing_that_another_one_may_pass() -> None:
    """Whoever is cut off a little longer would else give the same once more."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    for process in (0, 1):
        fleet.passes("9/m", process)
    fleet.clock.advance(MINUTE)
    fleet.shared.cut = False
    drive(fleet.counters[0].heal())
    assert fleet.all_pass("9/m", 0) == 9
    fleet.shared.cut = True
    for subject in ("s", "another"):
        with pytest.raises(StoreError):
            fleet.passes("9/m", 1, subject)


def test_a_clock_set_back_after_an_outage_shuts_nobody_out_in_the_next() -> None:
    """What was told then seems to be of the future."""
    fleet = Fleet()
    fleet.shared.cut = True
    fleet.passes("9/m")
    fleet.shared.cut = False
    fleet.heal()
    fleet.clock.step(-24 * 60 * MINUTE)
    fleet.shared.cut = True
    fleet.passes("9/m", subject="other")
    fleet.clock.advance(MINUTE)
    assert fleet.passes("9/m", subject="other")


def test_what_cannot_be_handed_over_stays_where_it_is() -> None:
    """The server dies again just then."""
    fleet = Fleet()
    fleet.shared.cut = True
    fleet.passes("9/m")
    fleet.clock.advance(MINUTE)
    assert fleet.all_pass("9/m") == 9
    fleet.shared.cut = False
    fleet.shared.falls_at = "s"
    fleet.heal()
    assert fleet.near[0].breaker.missed
    fleet.shared.falls_at = ""
    fleet.heal()
    assert not fleet.passes("9/m")
    assert fleet.shared.counters.peek_now([Ask("s", parse("9/m"), 0)])[0].remaining == 0


def test_a_place_taken_meanwhile_is_given_back_where_it_was_taken() -> None:
    """Also after the shared counters answer again."""
    fleet = Fleet()
    fleet.shared.cut = True
    asks = [Ask("s", parse("4 at once else local"))]
    lease = drive(fleet.counters[0].take(asks))[0].lease
    fleet.shared.cut = False
    fleet.heal()
    drive(fleet.counters[0].release([asks[0]._replace(lease=lease)]))
    fleet.shared.cut = True
    assert fleet.all_pass("4 at once else local") == 4


def test_refusals_and_leases_are_forgotten_before_they_fill_the_memory() -> None:
    """An attacker with many addresses costs the others a question, and nothing more."""
    near = Fleet().near[0]
    for number in range(100_000):
        asks = (Ask(str(number), parse("9/s fast")),)
        near.denials.keep(asks, [Verdict(False, 0, SECOND, SECOND)], 0)
        near.leases.wish(asks, 0)
    assert len(near.denials) <= 20_000
    assert len(near.leases) <= 20_000
    assert near.denials.find((Ask("99999", parse("9/s fast")),), 0) is not None


def test_counters_of_ones_own_come_back_without_a_job() -> None:
    """Nobody probes for an endpoint's limits; one outage would else refuse everything until a restart."""
    fleet = Fleet(spared=False)
    fleet.shared.cut = True
    for _ in range(FAULTS + 1):
        with pytest.raises(StoreError):
            fleet.passes("9/s")
    assert fleet.shared.calls == FAULTS
    fleet.shared.cut = False
    with pytest.raises(StoreError):
        fleet.passes("9/s")
    fleet.clock.advance(FORGOTTEN)
    assert fleet.passes("9/s")


@pytest.mark.parametrize("cost", [True, 1.0, -1])
@pytest.mark.parametrize("limit", ["1/m", "1/m else open", "1/m else closed", "1/m else local"])
def test_a_cost_that_is_no_whole_number_is_no_cost_of_a_refusal_or_an_outage(limit: str, cost: Any) -> None:
    """True and 1.0 are found under 1; and where everything passes or is refused nobody else looks."""
    fleet = Fleet()
    fleet.all_pass(limit)
    for fleet.shared.cut in (False, True):
        with pytest.raises(UsageError):
            fleet.passes(limit, cost=cost)


def test_a_step_asks_counters_that_do_not_answer_once() -> None:
    """A `fast` limit that took nothing in advance would wait a second time, beyond what a decision may take."""
    fleet = Fleet(4)
    fleet.passes("1/h burst 400 fast else local")
    fleet.passes("1/h burst 400 fast else local")
    fleet.shared.cut = True
    calls = fleet.shared.calls
    fleet.passes("1/h burst 400 fast else local", cost=101)
    assert fleet.shared.calls == calls + 1


def test_a_place_that_cannot_be_given_back_is_given_back_later() -> None:
    """One that fails keeps no other from being given back; nobody waits; nothing is held until its window ends."""
    fleet = Fleet()
    asks = [Ask(subject, parse("1 at once for 1h else local")) for subject in ("a", "b")]
    held = [ask._replace(lease=drive(fleet.counters[0].take([ask]))[0].lease) for ask in asks]
    fleet.shared.cut = True
    drive(fleet.counters[0].release(held))
    drive(fleet.counters[0].release(held))
    assert fleet.shared.calls == 2 + FAULTS
    fleet.heal()
    fleet.shared.cut = False
    fleet.heal()
    assert all(fleet.passes("1 at once for 1h else local", subject=subject) for subject in ("a", "b"))


def test_a_place_without_its_lease_is_a_mistake_also_in_an_outage() -> None:
    fleet = Fleet()
    fleet.shared.cut = True
    with pytest.raises(UsageError):
        drive(fleet.counters[0].release([Ask("s", parse("1 at once"))]))


def test_a_process_that_is_cut_off_waits_for_no_second_answer() -> None:
    """The server answers others again; each request would wait for it once more."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    for process in (0, 1):
        fleet.passes("9/m", process)
    fleet.clock.advance(MINUTE)
    fleet.shared.cut = False
    drive(fleet.counters[0].heal())
    fleet.shared.cut = True
    calls = fleet.shared.calls
    for _ in range(5):
        with pytest.raises(StoreError):
            fleet.passes("9/m", 1)
    assert fleet.shared.calls == calls + 1
    fleet.shared.cut = False
    drive(fleet.counters[1].heal())
    assert fleet.passes("9/m", 1)


@pytest.mark.parametrize("back", [1, 30 * SECOND, 24 * 60 * MINUTE])
def test_a_clock_set_back_within_an_outage_hides_its_end_from_nobody(back: int) -> None:
    """A process that takes the mark for an older one gives what the server gives, once more."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    for process in (0, 1):
        fleet.passes("9/m", process)
    fleet.clock.advance(MINUTE)
    fleet.shared.cut = False
    drive(fleet.counters[0].heal())
    fleet.clock.step(-back)
    fleet.shared.cut = True
    with pytest.raises(StoreError):
        fleet.passes("9/m", 1)


@pytest.mark.parametrize("back", [2 * MINUTE, 24 * 60 * MINUTE])
def test_a_clock_set_back_before_the_end_of_an_outage_hides_it_from_nobody(back: int) -> None:
    """Then its mark seems to be from before it began."""
    fleet = Fleet(2)
    fleet.shared.cut = True
    for process in (0, 1):
        fleet.passes("9/m", process)
    fleet.clock.advance(MINUTE)
    fleet.clock.step(-back)
    fleet.shared.cut = False
    drive(fleet.counters[0].heal())
    fleet.shared.cut = True
    with pytest.raises(StoreError):
        fleet.passes("9/m", 1)
