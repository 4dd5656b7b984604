"""Places are held by lease: each ends by itself, and is given back by its holder alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.limits import NEVER, Verdict, parse
from garrison.limits.concurrency import release
from garrison.model.units import DAY, SECOND
from tests.limits.played import Counter

LIMIT = parse("3 at once for 10s")


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(("take", "give", "late"))), max_size=80))
def test_never_more_are_held_than_there_are_places(steps: list[tuple[int, str]]) -> None:
    """Leases that ended count for nothing, whoever gives them back."""
    counter, alive, ended = Counter(LIMIT), dict[int, int](), list[int]()

    for pause, deed in steps:
        counter.now += pause * SECOND
        ended += [lease for lease, end in alive.items() if end <= counter.now]
        alive = {lease: end for lease, end in alive.items() if end > counter.now}
        if deed == "take":
            verdict = counter.spend()
            assert verdict.allowed == (len(alive) < 3)
            if verdict.allowed:
                alive[verdict.lease] = counter.now + 10 * SECOND
            else:
                assert verdict.retry_after == min(alive.values()) - counter.now
        elif isinstance(counter.state, bytes):
            lease = next(iter(alive if deed == "give" else ended), 0)
            counter.state = release(counter.state, lease)
            alive.pop(lease, None)
        assert counter.look(0).remaining == 3 - len(alive)


def test_several_places_are_one_lease() -> None:
    """They are given back together."""
    counter = Counter(LIMIT)
    verdict = counter.spend(2)
    other = counter.spend()
    assert isinstance(counter.state, bytes)

    assert (verdict.remaining, other.remaining, counter.spend(0)[:4]) == (1, 0, (True, 0, 0, 10 * SECOND))
    assert counter.spend(4) == Verdict(False, 0, NEVER, 10 * SECOND)
    counter.state = release(counter.state, verdict.lease)
    assert counter.look(0).remaining == 2


def test_a_look_holds_nothing() -> None:
    """A cost of nothing has no lease to give back."""
    assert Counter(LIMIT).spend(0) == Verdict(True, 3, 0, 0, 0)


def test_leases_end_in_time_although_the_clock_stepped_back() -> None:
    """At most as late as a new one would."""
    counter = Counter(LIMIT, now=10 * DAY)
    counter.spend(3)
    counter.now = DAY

    assert counter.spend().retry_after == 10 * SECOND
    counter.now += 10 * SECOND
    assert counter.spend(3).allowed


def test_fewer_places_are_free_when_enough_have_left() -> None:
    """After the limit was lowered, not with the first that leaves."""
    counter = Counter(LIMIT)
    counter.spend(2)
    counter.now += SECOND
    counter.spend()
    counter.limit = LIMIT.but(count=1)

    assert counter.spend()[:4] == (False, 0, 10 * SECOND, 10 * SECOND)
    counter.limit = LIMIT.but(count=0)
    assert counter.spend() == Verdict(False, 0, NEVER, 0)
