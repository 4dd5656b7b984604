"""Fitting a plain value to a type: all misfits at once, each with its place, never with the value."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from garrison.errors import UsageError
from garrison.model.fit import MOST_MISFITS, Misfit, fit, is_bare, path_text


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Inside the whole."""

    number: Annotated[int, Meta(ge=1, le=9)] = 1


class Whole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of each kind that a policy or a body has."""

    name: Annotated[str, Meta(pattern=r"^[a-z]+$", min_length=2, max_length=4)]
    ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    even: Annotated[int, Meta(multiple_of=2)] = 2
    on: bool = False
    color: Literal["red", "green"] = "red"
    words: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    pair: tuple[int, int] = (1, 2)
    parts: dict[Annotated[str, Meta(pattern="^[a-z]$")], Part] = {}
    either: int | tuple[Annotated[str, Meta(extra={"notation": "shout"})], ...] | None = None
    anything: Any = None
    loud: Annotated[str, Meta(extra={"notation": "shout"})] = "HEY"


class Checked(Struct):
    """A struct with a rule that only it knows."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            msg = "low is above high"
            raise ValueError(msg)


def shout(text: str) -> None:
    if text.upper() != text:
        msg = "is not loud"
        raise UsageError(msg)


NOTATIONS = {"shout": shout}


def told(value: object) -> list[tuple[str, str]]:
    return [(path_text(misfit.path), misfit.code) for misfit in fit(value, Whole, NOTATIONS).misfits]


def test_what_fits_is_made() -> None:
    value = {"name": "ab", "parts": {"x": {"number": 3}}, "either": ["A"], "on": True, "color": "green", "ratio": 0.5}

    found = fit(value, Whole, NOTATIONS)

    assert found.misfits == ()
    assert found.value == Whole(name="ab", parts={"x": Part(3)}, either=("A",), on=True, color="green")
    assert fit({"name": "ab", "either": None}, Whole, NOTATIONS).misfits == ()


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"name": 7}, "name", "type"),
        ({"name": "AB"}, "name", "format"),
        ({"name": "a"}, "name", "length"),
        ({"name": "abcde"}, "name", "length"),
        ({"ratio": "x"}, "ratio", "type"),
        ({"ratio": True}, "ratio", "type"),
        ({"ratio": 0}, "ratio", "range"),
        ({"ratio": 1.0}, "ratio", "range"),
        ({"even": 3}, "even", "range"),
        ({"even": 2.5}, "even", "type"),
        ({"on": 1}, "on", "type"),
        ({"color": "blue"}, "color", "choice"),
        ({"color": ["red"]}, "color", "choice"),
        ({"words": "ab"}, "words", "type"),
        ({"words": ["a", 1]}, "words[1]", "type"),
        ({"words": ["a", "b", "c"]}, "words", "length"),
        ({"pair": [1]}, "pair", "length"),
        ({"pair": 1}, "pair", "type"),
        ({"pair": [1, "2"]}, "pair[1]", "type"),
        ({"parts": []}, "parts", "type"),
        ({"parts": {"x": 1}}, "parts.x", "type"),
        ({"parts": {"X": {}}}, "parts.X", "format"),
        ({"parts": {"x": {"number": 0}}}, "parts.x.number", "range"),
        ({"parts": {"x": {"number": 10}}}, "parts.x.number", "range"),
        ({"parts": {"x": {"nmber": 1}}}, "parts.x.nmber", "unknown"),
        ({"either": "x"}, "either", "type"),
        ({"either": ["A", "b"]}, "either[1]", "format"),
        ({"either": {}}, "either", "type"),
        ({"loud": "hey"}, "loud", "format"),
        ({"loud": 7}, "loud", "type"),
        ({"GET /x": 1}, '"GET /x"', "unknown"),
    ],
)
def test_one_mistake_is_told_with_its_place(change: dict[str, object], place: str, code: str) -> None:
    assert told({"name": "ab", **change}) == [(place, code)]


def test_all_mistakes_are_told_at_once() -> None:
    assert told({"ratio": 2, "words": [1, 2], "colour": "red"}) == [
        ("name", "missing"),
        ("ratio", "range"),
        ("words[0]", "type"),
        ("words[1]", "type"),
        ("colour", "unknown"),
    ]


def test_what_would_do_is_offered() -> None:
    misfits = fit({"name": "ab", "color": "rde", "onn": True}, Whole).misfits

    assert set(misfits[0].offers) == {"red", "green"}
    assert "on" in misfits[1].offers


def test_a_notation_that_refuses_is_named() -> None:
    (misfit,) = fit({"name": "ab", "loud": "hey"}, Whole, NOTATIONS).misfits

    assert misfit == Misfit(("loud",), "format", "is not loud", (), "shout")


def test_without_notations_marked_fields_are_any_text() -> None:
    assert fit({"name": "ab", "loud": "hey"}, Whole).value == Whole(name="ab", loud="hey")


def test_a_union_says_which_forms_would_do() -> None:
    (misfit,) = fit({"name": "ab", "either": "x"}, Whole).misfits

    assert misfit.text == "must be a whole number or a list, and is text"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (1.5, "a number"),
        ("x", "text"),
        ([], "a list"),
        ({}, "a table of members"),
        (datetime(2026, 1, 1), "a date"),  # noqa: DTZ001  # TOML has dates without a zone
    ],
)
def test_the_kind_of_a_value_is_named(value: object, kind: str) -> None:
    wanted: Any = int if kind != "null" else str

    (misfit,) = fit(value, wanted).misfits

    assert misfit.text.endswith(f"and is {kind}")


@pytest.mark.parametrize(
    ("wanted", "value"),
    [(list[int], [1, "x"]), (set[int], [1, "x"]), (frozenset[int], [1, "x"]), (tuple[int, ...], [1, "x"])],
)
def test_every_kind_of_list_is_walked(wanted: Any, value: list[object]) -> None:
    assert [misfit.path for misfit in fit(value, wanted).misfits] == [(1,)]


def test_null_alone() -> None:
    wanted: Any = type(None)

    assert fit(1, wanted).misfits[0].text == "must be null, and is a number"


def test_a_rule_of_the_struct_itself_is_passed_on() -> None:
    (misfit,) = fit({"low": 2, "high": 1}, Checked).misfits

    assert misfit == Misfit((), "rule", "low is above high")


def test_a_kind_that_only_msgspec_knows_is_passed_on_with_its_place() -> None:
    wanted: Any = dict[str, list[datetime]]

    (misfit,) = fit({"days": ["soon", "x"]}, wanted).misfits

    assert (misfit.code, misfit.path) == ("rule", (0,))
    assert misfit.text.startswith("invalid RFC3339")


def test_a_struct_that_allows_more_members_is_not_strict_about_them() -> None:
    assert fit({"low": 1, "high": 2, "more": 3}, Checked).value == Checked(1, 2)


def test_a_hostile_value_buys_no_endless_answer() -> None:
    wanted: Any = list[int]

    assert len(fit(["x"] * 10_000, wanted).misfits) == MOST_MISFITS
    assert len(fit([["x"] * 10_000], list[list[int]]).misfits) == MOST_MISFITS


def test_whoever_trusts_the_value_may_ask_for_more() -> None:
    assert len(fit(["x"] * 10_000, list[int], most=MOST_MISFITS + 1).misfits) == MOST_MISFITS + 1
    assert len(fit([["x"] * 10_000], list[list[int] | None], most=MOST_MISFITS + 1).misfits) == MOST_MISFITS + 1


def test_the_text_never_repeats_the_value() -> None:
    """A password in the wrong field must not come back in an answer, nor reach a log."""
    for misfit in fit({"name": "hunter2!", "color": "hunter2!", "words": "hunter2!"}, Whole).misfits:
        assert "hunter2!" not in misfit.text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("cors", "web", "origins", 2), "cors.web.origins[2]"),
        (("routes", "GET /notes/{id}", "limit"), 'routes."GET /notes/{id}".limit'),
        (('a"b\\c',), '"a\\"b\\\\c"'),
        (("",), '""'),
        ((0, 1), "[0][1]"),
    ],
)
def test_paths_are_written_with_their_keys(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text


def test_bare_names() -> None:
    assert is_bare("a-b_C9")
    assert not is_bare("a.b")
    assert not is_bare("")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(["name", "ratio", "words", "pair", "parts", "either", "color", "on", "number"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_fit_and_msgspec_never_disagree(value: object) -> None:
    """Two readers of one thing: a value without misfits is what msgspec makes, and one with some is refused by it."""
    found = fit(value, Whole)

    try:
        made = msgspec.convert(value, Whole)
    except msgspec.ValidationError:
        assert found.value is None
        assert 0 < len(found.misfits) <= MOST_MISFITS
    else:
        assert found.misfits == ()
        assert found.value == made
