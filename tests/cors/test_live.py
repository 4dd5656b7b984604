"""Replacing a policy: whole or not at all, and what changed is said."""

from __future__ import annotations

import pytest

from garrison.cors import CorsPolicy, LiveCors, compare
from garrison.errors import PolicyError

A, B, C = "https://a.example.com", "https://b.example.com", "https://c.example.com"


def test_a_change_says_who_gained_and_who_lost() -> None:
    """In the order of the lists, and every field that differs by name."""
    live = LiveCors(CorsPolicy(origins=(A, B), credentials=True))

    change = live.replace(CorsPolicy(origins=(C, B), methods=("PUT",), credentials=True))

    assert (change.gained, change.lost, change.fields) == ((C,), (A,), ("origins", "methods"))
    assert live.version == 2
    assert live.current.allows(C.encode())
    assert not live.current.allows(A.encode())


def test_a_request_keeps_the_policy_it_began_with() -> None:
    """The snapshot does not change under it."""
    live = LiveCors(CorsPolicy(origins=(A,)))
    mine = live.current

    live.replace(CorsPolicy(origins=(B,)))

    assert mine.allows(A.encode())
    assert not mine.allows(B.encode())


def test_a_wrong_policy_leaves_the_old_one() -> None:
    """A typing error at night must not take the service down, nor open it."""
    live = LiveCors(CorsPolicy(origins=(A,), credentials=True))
    before = live.current

    with pytest.raises(PolicyError):
        live.replace(CorsPolicy(origins=("*",), credentials=True))

    assert live.current is before
    assert live.version == 1


def test_an_equal_policy_changes_nothing() -> None:
    """The order of a list is no change, so that a rewritten file is not news."""
    live = LiveCors(CorsPolicy(origins=(A, B)))

    assert not live.replace(CorsPolicy(origins=(B, A)))
    assert live.version == 1
    assert compare(CorsPolicy(origins=(A,)), CorsPolicy(origins=(A,), max_age="1m")).fields == ("max_age",)


def test_counters_and_debug_go_on() -> None:
    """A swap must not hide what was refused before it."""
    live = LiveCors(CorsPolicy(origins=(A,)), debug=True)
    live.current.grant(B.encode())

    live.replace(CorsPolicy(origins=(B,)))

    assert live.current.tally.counts["origin"] == 1
    assert live.current.debug
    assert live.current.grant(B.encode())[0] == (b"access-control-allow-origin", B.encode())
