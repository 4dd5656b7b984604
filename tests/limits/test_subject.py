"""Counters are named so that no choice of names lets two parties meet in one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garrison.limits.subject import LONGEST_KEY, bounded, coarser, subject_key

PARTS = st.lists(st.text(alphabet=st.characters() | st.sampled_from("|%#7C23"), max_size=300), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_different_parts_make_different_keys(one: list[str], other: list[str]) -> None:
    """Also when the parts hold what separates them, or what it is escaped with."""
    assert (subject_key(*one) == subject_key(*other)) == (one == other)


@given(st.text(alphabet="|%#7C2a", max_size=8), st.text(alphabet="|%#7C2a", max_size=8))
def test_what_joins_the_parts_cannot_be_forged(one: str, other: str) -> None:
    """The same letters, cut elsewhere, are another subject."""
    whole = f"{one}|{other}"
    keys = {subject_key(whole[:cut], whole[cut:]) for cut in range(len(whole) + 1)} | {subject_key(whole)}

    assert len(keys) == len(whole) + 2


@given(PARTS)
def test_a_key_is_short_and_plain(parts: list[str]) -> None:
    """Whatever was in the parts: lone surrogates, 100 kB, right-to-left marks."""
    key = subject_key(*parts)

    assert len(key) <= LONGEST_KEY
    assert key.isascii()
    assert bounded(key) == key


def test_a_long_subject_is_hashed_and_cannot_be_named_by_its_hash() -> None:
    """Otherwise whoever knows a long name could spend its limit with a short one."""
    hashed = subject_key("rule", "x" * 100_000)

    assert hashed.startswith("#")
    assert subject_key(hashed) != hashed
    assert subject_key("", hashed[1:]) != hashed


def test_plain_parts_stay_readable() -> None:
    """An operator finds them in the store."""
    assert subject_key("GET /notes/{id}", "user:ada", "203.0.113.7") == "GET /notes/{id}|user:ada|203.0.113.7"
    assert subject_key("rule") == "rule"


def test_a_subject_has_a_coarser_one_if_it_ends_with_an_address() -> None:
    """In the form of `subject_key`, and after a prefix with a colon."""
    assert coarser("rule|203.0.113.7") == "rule|203.0.113.0/24"
    assert coarser("a:b|2001:db8:1:2::/64") == "a:b|2001:db8:1::/48"
    assert coarser("0aZ3:203.0.113.7") == "0aZ3:203.0.113.0/24"
    assert coarser("0aZ3:2001:db8:1:2::/64") == "0aZ3:2001:db8:1::/48"
    assert coarser("203.0.113.7") == "203.0.113.0/24"
    for key in ("rule|user:ada", "rule|", "rule", "", "rule|203.0.113.0/24"):
        assert coarser(key) == ""
