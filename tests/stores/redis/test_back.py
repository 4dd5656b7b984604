"""What is given back of a step that was overtaken never lets more pass than if it had not been spent."""

from __future__ import annotations

from secrets import token_bytes

from hypothesis import given
from hypothesis import strategies as st

from garrison.guard.drive import drive
from garrison.limits import Ask, Limit, parse
from garrison.model.units import DAY
from garrison.stores.redis.counters import Driven, RedisCounters
from garrison.stores.redis.script import play
from garrison.testing import ManualClock
from tests.stores.redis.server import socket

LIMITS = tuple(
    map(
        parse,
        (
            "7/s burst 3",
            "3/7us burst 900",
            "at most 3 in 1s",
            "at most 70 in 1s",
            "8 per calendar hour",
            "5 at once for 2s",
        ),
    )
)
WAITS = st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 2_000_000), st.integers(0, DAY))
PLAYS = st.lists(st.tuples(WAITS, st.integers(1, 3)), max_size=6)


@given(st.sampled_from(LIMITS), PLAYS, st.integers(1, 3), PLAYS, WAITS, PLAYS)
def test_giving_back_is_to_nobodys_gain_and_at_once_to_nobodys_loss(
    limit: Limit,
    before: list[tuple[int, int]],
    cost: int,
    between: list[tuple[int, int]],
    last: int,
    after: list[tuple[int, int]],
) -> None:
    """Beside counters that were never asked for it: they have at least as much left, and as much if no time passed."""
    clock = ManualClock()
    clock.jump(500 * DAY)
    link = Driven(deadline=10, instant=clock.wall, unix_socket_path=socket())
    secret = token_bytes(32)
    counters = RedisCounters(link, secret, token_bytes)
    ours, others = Ask("ours", limit), Ask("others", limit)

    def both(plays: list[tuple[int, int]]) -> None:
        for wait, units in plays:
            clock.jump(wait)
            if drive(counters.take([ours._replace(cost=units)]))[0].allowed:
                assert drive(counters.take([others._replace(cost=units)]))[0].allowed

    try:
        both(before)
        began = clock.wall()
        (keys, (_, rows)), leases = play("take", [ours._replace(cost=cost)], secret, token_bytes)
        at, code, *_ = drive(link.send((keys, ("hold", rows))))
        both(between)
        clock.jump(last)
        if code == 1:
            marked = [(place, facts if leases[0] else (*facts[:11], at, 0)) for place, facts in rows]
            drive(link.send((keys, ("release", marked))))
        left = [drive(counters.peek([ask._replace(cost=0)]))[0].remaining for ask in (ours, others)]
        assert left[0] <= left[1]
        assert left[0] == left[1] or clock.wall() > began
        both(after)
    finally:
        link.close()
