"""Every algorithm is in the table, and a state goes from one limit to another with the same key."""

from __future__ import annotations

from garrison.limits import parse
from garrison.limits.algorithms import SPEND, carry
from garrison.limits.limit import ALGORITHMS
from garrison.model.units import SECOND
from tests.limits.played import Counter


def test_every_algorithm_is_in_the_table() -> None:
    """A store finds each by its name."""
    assert tuple(SPEND) == ALGORITHMS


def test_a_rate_is_carried_in_requests() -> None:
    """Not in time: an hour owed at one a second is a second owed at an hour's worth a second."""
    slow, fast = Counter(parse("1/s burst 3600")), parse("3600/s")
    slow.spend(3600)
    assert slow.state is not None

    assert carry(slow.state, slow.limit, fast, slow.now) == (slow.now + SECOND) * fast.refill
    assert carry(slow.state, slow.limit, slow.limit, slow.now) == slow.state
    assert carry(0, slow.limit, fast, slow.now) == slow.now * fast.refill


def test_other_states_describe_themselves() -> None:
    """They are handed on as they are."""
    for text in ("at most 5 in 1m", "at most 99 in 1m", "5 per calendar day", "5 at once"):
        counter = Counter(parse(text))
        counter.spend()
        assert counter.state is not None
        assert carry(counter.state, counter.limit, counter.limit.but(count=3), counter.now) is counter.state
