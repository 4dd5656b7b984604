"""Finishing a head: what is dropped, what yields, what merges, and that nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.headers import Ending, ending, finish, text_ending
from garrison.headers.finish import DISCLOSING, OWNED

HOW = ending(yielding=("cache-control",), dropped=DISCLOSING)
VARY = (b"vary", b"Origin")


@pytest.mark.parametrize("name", [*OWNED, *DISCLOSING, "Access-Control-Allow-Origin", "SERVER"])
def test_drops_what_is_not_the_applications_to_send(name: str) -> None:
    """However it is spelled, and each time."""
    for _ in range(2):
        assert finish([(name.encode(), b"x"), (b"a", b"1")], HOW, ()) == [(b"a", b"1")]


def test_without_cors_those_fields_stay() -> None:
    """Where no policy speaks, the handler may."""
    line = (b"access-control-allow-origin", b"*")

    assert finish([line], ending(cors=False), ()) == [line]


def test_a_default_yields_to_the_application() -> None:
    """In any spelling; our other lines are sent all the same."""
    ours = ((b"cache-control", b"no-store"), (b"x-a", b"1"))

    assert finish([(b"Cache-Control", b"public")], HOW, ours) == [(b"Cache-Control", b"public"), (b"x-a", b"1")]
    assert finish([(b"x-a", b"2")], HOW, ours) == [(b"x-a", b"2"), *ours]


@pytest.mark.parametrize(
    ("said", "wanted", "merged"),
    [
        ([], b"Origin", b"Origin"),
        ([b"Accept"], b"Origin", b"Accept,Origin"),
        ([b"origin"], b"Origin", b"origin"),
        ([b"ORIGIN, Accept"], b"Origin", b"ORIGIN, Accept"),
        ([b"Accept", b"Cookie"], b"Origin", b"Accept,Cookie,Origin"),
        ([b"*"], b"Origin", b"*"),
        ([b"Accept, *"], b"Origin", b"Accept, *"),
        ([b""], b"Origin", b"Origin"),
        ([b"Original"], b"Origin", b"Original,Origin"),
        ([b"Accept"], b"Accept, Origin", b"Accept, Origin"),
    ],
)
def test_vary_is_merged(said: list[bytes], wanted: bytes, merged: bytes) -> None:
    """One line with every member once; a cache that misses one gives an answer to the wrong page."""
    head = finish([(b"Vary", value) for value in said], HOW, ((b"vary", wanted),))

    assert head == [(b"vary", merged)]


def test_a_vary_that_nothing_is_added_to_stays() -> None:
    """Public data varies by nothing of ours."""
    assert finish([(b"vary", b"Accept")], HOW, ((b"x-a", b"1"),)) == [(b"x-a", b"1"), (b"vary", b"Accept")]


def test_text_lines_are_finished_alike() -> None:
    """WSGI has text where ASGI has bytes."""
    lines = [("Server", "x"), ("Vary", "Accept"), ("A", "1")]

    assert finish(lines, text_ending(HOW), (("vary", "Origin"),)) == [("A", "1"), ("vary", "Accept,Origin")]


names = st.sampled_from([b"a", b"B", b"vary", b"Vary", b"server", b"Cache-Control", b"access-control-allow-origin"])
lines = st.lists(st.tuples(names, st.sampled_from([b"1", b"Accept", b"*"])), max_size=6)


@given(lines, st.sampled_from([(), (VARY,), ((b"cache-control", b"no-store"), (b"x-o", b"1"), VARY)]))
def test_changes_nothing_that_came_in_and_loses_nothing_else(
    given_lines: list[tuple[bytes, bytes]], ours: tuple[tuple[bytes, bytes], ...]
) -> None:
    """From both sides: every other line is there, in order, and no line is there that nobody sent."""
    before = list(given_lines)

    head = finish(given_lines, HOW, ours)

    assert given_lines == before
    assert head is not given_lines
    plain = [line for line in before if line[0].lower() in {b"a", b"b", b"cache-control"}]
    assert head[: len(plain)] == plain
    assert {line for line in head[len(plain) :] if line[0] != b"vary"} <= set(ours)
    assert [name for name, _ in head].count(b"vary") <= 1


def test_any_iterable_will_do() -> None:
    """ASGI asks for no list; a generator can be read only once."""
    assert finish(iter([(b"server", b"x"), (b"a", b"1")]), HOW, ()) == [(b"a", b"1")]


def test_invented_spellings_do_not_pile_up() -> None:
    """An application that makes up field names must not grow us without end."""
    how: Ending[bytes] = ending()

    for number in range(2_000):
        finish([(b"X-%d" % number, b"1")], how, ())

    assert len(how.fates) <= 1_024
    assert finish([(b"ACCESS-CONTROL-allow-origin", b"*")], how, ()) == []
