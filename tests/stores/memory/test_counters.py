"""What only counters in memory promise: a bound, no timers, and nobody forgotten when a flood comes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.limits import Ask, Limit, Verdict, parse
from garrison.limits.subject import subject_key
from garrison.model.units import DAY, HOUR, MINUTE, SECOND
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock
from tests.limits.played import Counter, histories


def take(store: MemoryCounters, text: str, subject: str, cost: int = 1) -> Verdict:
    return store.take_now([Ask(subject, parse(text), cost)])[0]


def addresses() -> Iterator[str]:
    return (f"{n >> 24 & 255}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(0x0B000000, 7))


@given(
    st.builds(Limit, count=st.integers(1, 9), window=st.integers(1, 10**7), burst=st.integers(1, 9)),
    st.data(),
)
def test_the_short_way_says_what_the_algorithm_says(limit: Limit, data: st.DataObject) -> None:
    """The hot path repeats the arithmetic of a rate; here both play one history."""
    clock = ManualClock(monotonic=10**15)
    store, counter = MemoryCounters(clock), Counter(limit, now=10**15)
    wide = Ask("wide", parse("1000000/s"))

    for pause, cost in data.draw(histories(limit.window)):
        clock.advance(pause)
        counter.now += pause
        said = counter.spend(cost)
        assert store.take_now([Ask("s", limit, cost), wide][: 1 + pause % 2])[0] == said


def test_idle_counters_vanish_without_a_timer() -> None:
    """Two lives of the limit later, the next calls free them, a few each, so that none is held up."""
    clock = ManualClock()
    store = MemoryCounters(clock)
    for _, address in zip(range(5_000), addresses(), strict=False):
        for text in ("5/s", "at most 5 in 1s", "5 at once for 1s"):
            take(store, text, address)
    assert store.live == 15_000

    clock.advance(2 * SECOND)
    for _ in range(15_000 // 32 + 2):
        take(store, "5/s", "busy")

    assert store.live == 1


def test_a_counter_that_still_counts_is_never_freed() -> None:
    """However often the generations turn."""
    clock = ManualClock()
    store = MemoryCounters(clock)
    for text in ("3/h", "at most 3 in 1h", "at most 99 in 1h", "3 per calendar day", "3 at once for 1h"):
        take(store, text, "debtor", parse(text).count)
        for minute in range(59):
            clock.advance(MINUTE)
            assert take(store, text, f"other{minute}").allowed
            assert not take(store, text, "debtor", parse(text).count).allowed
            assert take(store, "1000/s", f"other{minute}").allowed


def test_a_limit_nobody_uses_any_more_leaves_nothing_behind() -> None:
    """A policy that is replaced again and again does not fill the memory with empty tables."""
    clock = ManualClock()
    store = MemoryCounters(clock)
    for number in range(1, 200):
        take(store, f"{number}/s as n{number}", "s")
        clock.advance(3 * SECOND)
        for _ in range(3):
            take(store, "1/s", "s")

    assert store.live <= 4
    assert len(store._generations._tables) <= 3
    assert len(store._generations.hot) <= 3


def test_a_flood_of_new_subjects_forgets_nobody() -> None:
    """The attack that an LRU loses: spray random keys until the victim's counter is evicted, and try again."""
    for text in ("5/h", "at most 5 in 1h", "at most 99 in 1h", "5 per calendar day", "5 at once for 1h"):
        limit, store = parse(text), MemoryCounters(ManualClock(), capacity=64)
        take(store, text, "rule|198.51.100.9", limit.count)
        admitted = 0
        for _, address in zip(range(3_000), addresses(), strict=False):
            take(store, text, f"rule|{address}")
            admitted += take(store, text, "rule|198.51.100.9").allowed
        assert admitted == 0


def test_a_full_store_counts_new_subjects_by_their_network() -> None:
    """So that a flood from few networks limits itself, and others still pass."""
    clock = ManualClock()
    store = MemoryCounters(clock, capacity=8)
    for number in range(8):
        take(store, "5/h", f"rule|192.0.2.{number}")

    passed = sum(take(store, "5/h", f"rule|203.0.113.{number}").allowed for number in range(200))

    assert passed == 5
    assert take(store, "5/h", "rule|203.0.114.1").allowed
    assert sum(take(store, "5/h", f"rule|2001:db8:1:{number:x}::/64").allowed for number in range(200)) == 5


def test_subjects_without_a_network_share_counters_by_chance() -> None:
    """A thousand of them, so that one client of many is hit by a flood, not all."""
    store = MemoryCounters(ManualClock(), capacity=2)
    take(store, "1/h", "rule|someone")

    passed = sum(take(store, "1/h", f"rule|user{number}").allowed for number in range(20_000))

    assert 900 <= passed <= 1_024


def test_memory_is_bounded_whatever_is_sent() -> None:
    """Networks beyond their share are counted by chance as well."""
    store = MemoryCounters(ManualClock(), capacity=100)
    for number in range(12_000):
        take(store, "5/h", f"rule|{number >> 8 & 255}.{number & 255}.7.7")
        take(store, "at most 5 in 1h", f"rule|user{number}")

    assert store.live <= 100 + 2 * (4_096 + 1_024)


def test_half_of_the_room_is_left_to_other_limits() -> None:
    """A flood on one route does not take the counters of the login."""
    store = MemoryCounters(ManualClock(), capacity=100)
    for _, address in zip(range(1_000), addresses(), strict=False):
        take(store, "5/h", f"flooded|{address}")

    assert [take(store, "at most 1 in 1h", f"login|198.51.{n}.1").allowed for n in range(40)] == [True] * 40
    assert [take(store, "at most 1 in 1h", f"login|198.51.{n}.1").allowed for n in range(40)] == [False] * 40


def test_whoever_gets_a_counter_of_his_own_begins_with_the_shared_one() -> None:
    """Otherwise the end of a flood would be a fresh quota."""
    clock = ManualClock()
    store = MemoryCounters(clock, capacity=4)
    take(store, "1000/s", "rule|192.0.2.1")
    take(store, "1000/s", "rule|192.0.2.2")
    assert take(store, "5/h as slow", "rule|192.0.2.1", 5).allowed
    assert take(store, "5/h as slow", "rule|192.0.2.2", 5).allowed
    assert take(store, "5/h as slow", "rule|203.0.113.7", 5).allowed

    clock.advance(3 * SECOND)
    for _ in range(8):
        take(store, "1000/s", "rule|192.0.2.1")

    assert not take(store, "5/h as slow", "rule|203.0.113.7").allowed
    clock.advance(HOUR)
    assert not take(store, "5/h as slow", "rule|203.0.113.7", 6).allowed
    assert take(store, "5/h as slow", "rule|203.0.113.7", 5).allowed


def test_a_shared_counter_lives_as_long_as_any_other() -> None:
    """Also over the turn of a generation."""
    clock = ManualClock()
    store = MemoryCounters(clock, capacity=2)
    take(store, "5/h", "rule|192.0.2.1")
    take(store, "5/h", "rule|203.0.113.7", 5)

    for _ in range(5):
        clock.advance(11 * MINUTE)
        take(store, "5/h", "rule|192.0.2.1")
        assert take(store, "5/h", "rule|203.0.113.8", 5).allowed is False


def test_a_place_among_shared_ones_is_given_back() -> None:
    """Wherever the subject is counted."""
    store = MemoryCounters(ManualClock(), capacity=2)
    take(store, "1 at once", "rule|192.0.2.1")
    lease = take(store, "1 at once", "rule|203.0.113.7").lease
    assert not take(store, "1 at once", "rule|203.0.113.8").allowed

    store.release([Ask("rule|203.0.113.7", parse("1 at once"), lease=lease)]).close()
    with pytest.raises(StopIteration):
        store.release([Ask("rule|203.0.113.7", parse("1 at once"), lease=lease)]).send(None)

    assert take(store, "1 at once", "rule|203.0.113.8").allowed


def test_a_subject_of_any_length_is_counted_and_kept_short() -> None:
    """Memory is not the caller's to fill with names."""
    store = MemoryCounters(ManualClock())
    long = "x" * 1_000_000

    assert take(store, "1/h", long).allowed
    assert not take(store, "1/h", long).allowed
    assert take(store, "1/h", long + "y").allowed
    assert max(len(key) for table in store._generations._tables.values() for key in table.young) <= 200


def test_looking_makes_no_counters() -> None:
    """A dashboard that asks for everybody does not fill the memory."""
    store = MemoryCounters(ManualClock())
    for number in range(100):
        store.peek_now([Ask(f"s{number}", parse("5/s")), Ask(f"s{number}", parse("at most 5 in 1s"))])
        take(store, "5/s", f"s{number}", cost=0)

    assert store.live == 0


def test_a_bad_cost_at_the_end_of_a_step_undoes_its_beginning() -> None:
    """Both ways of spending."""
    store = MemoryCounters(ManualClock())
    first, second = Ask("s", parse("5/s")), Ask("s", parse("at most 5 in 1s"))
    store.take_now([first, second])

    with pytest.raises(UsageError):
        store.take_now([first, second, first._replace(cost=-1)])

    assert [v.remaining for v in store.peek_now([first, second])] == [3, 3]


def test_threads_share_exactly_the_limit_when_they_switch_all_the_time() -> None:
    """A counter that is read and written without a lock grants more, if threads switch often enough."""
    store = MemoryCounters(ManualClock())
    asks = [Ask("all", parse("500/d")), Ask("also", parse("at most 2000 in 1d")), Ask("all", parse("1000/h"))]
    passed: list[int] = []
    start = threading.Barrier(8)

    def caller() -> None:
        start.wait()
        passed.append(sum(all(v.allowed for v in store.take_now(asks)) for _ in range(200)))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=caller) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert sum(passed) == 500
    assert [v.remaining for v in store.peek_now([ask._replace(cost=0) for ask in asks])] == [0, 1500, 500]


def test_one_counter_of_a_rate_costs_few_bytes() -> None:
    """An integer; the key is the caller's."""
    store = MemoryCounters(ManualClock())
    take(store, "50/s burst 500", "rule|203.0.113.7")
    (table,) = store._generations._tables.values()

    assert sys.getsizeof(table.young["rule|203.0.113.7"]) <= 40


def test_a_clock_set_far_forward_frees_everything_at_once() -> None:
    """And the store goes on."""
    clock = ManualClock()
    store = MemoryCounters(clock)
    take(store, "5/s", "s", 5)
    clock.advance(30 * DAY)

    assert take(store, "5/s", "s", 5).allowed
    assert subject_key("s") == "s"
