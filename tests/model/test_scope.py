"""Scopes: which words are scopes, and which cover which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.model.scope import covers, effective, is_scope, missing, parse

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(":".join)
SCOPES = st.one_of(WORDS, WORDS.map(lambda word: f"{word}:*"))


@pytest.mark.parametrize("text", ["tasks:read", "a", "tasks:*", "a:b:*", "https://example.com/x", "!", "~" * 128])
def test_these_are_scopes(text: str) -> None:
    assert is_scope(text)


@pytest.mark.parametrize(
    "text", ["", "*", ":*", "a*", "a:*b", "a:**", "*:a", "a b", 'a"b', "a\\b", "a\n", "ä", "a\x7f", "a" * 129]
)
def test_these_are_none(text: str) -> None:
    """A lone star would cover a right that is invented tomorrow."""
    assert not is_scope(text)


def test_a_list_is_split_at_spaces_alone() -> None:
    assert parse("a:b c  d:*") == {"a:b", "c", "d:*"}
    assert parse("a\tb") == frozenset()
    assert parse("") == frozenset()


def test_whatever_is_no_scope_is_left_out_and_not_guessed() -> None:
    assert parse('a:b * "c"') == {"a:b"}


@pytest.mark.parametrize(
    ("granted", "wanted", "covered"),
    [
        ({"a:b"}, "a:b", True),
        ({"a:*"}, "a:b", True),
        ({"a:*"}, "a:b:c", True),
        ({"a:b:*"}, "a:b", False),
        ({"a:*"}, "a", False),
        ({"a:*"}, "ab:c", False),
        ({"a:*"}, "a:*", True),
        ({"a:*"}, "a:b:*", True),
        ({"a:b"}, "a:*", False),
        ({"a"}, "a:b", False),
        (set(), "a", False),
    ],
)
def test_what_covers_what(granted: set[str], wanted: str, covered: bool) -> None:
    assert covers(frozenset(granted), wanted) is covered


def test_what_is_missing_is_listed_in_order() -> None:
    assert missing(frozenset({"a:*"}), ["c", "a:b", "b"]) == ("c", "b")


def test_a_key_has_no_more_than_its_owner_and_no_more_than_it_was_granted() -> None:
    assert effective(frozenset({"tasks:*"}), frozenset({"tasks:read", "keys:write"})) == {"tasks:read"}
    assert effective(frozenset({"tasks:read"}), frozenset({"tasks:*"})) == {"tasks:read"}
    assert effective(frozenset({"tasks:read"}), frozenset()) == frozenset()


@given(st.frozensets(SCOPES, max_size=5), st.frozensets(SCOPES, max_size=5), WORDS)
def test_the_intersection_covers_exactly_what_both_cover(one: frozenset[str], other: frozenset[str], word: str) -> None:
    """No more, or a key outgrows its owner; no less, or a right is lost without a reason."""
    assert covers(effective(one, other), word) == (covers(one, word) and covers(other, word))


@given(st.frozensets(st.text(max_size=8), max_size=5))
def test_only_scopes_come_out_of_a_list(words: frozenset[str]) -> None:
    assert all(is_scope(scope) for scope in parse(" ".join(words)))
