"""Row 17 of the chapter: `validate_input` and `sanitize_input`, played as it calls them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.handbook.validation import sanitize_input, validate_input

RULES: dict[str, dict[str, Any]] = {
    "username": {"required": True, "type": str, "min_length": 3, "max_length": 50, "pattern": r"^[A-Za-z0-9_]+$"},
    "email": {"required": True, "type": str, "validator": lambda text: "@" in text},
    "age": {"type": int, "validator": lambda number: number >= 0},
    "tags": {"type": (list, tuple), "max_length": 2},
}
GOOD = {"username": "ada_l", "email": "ada@example.com", "age": 36, "tags": ["a"]}


def test_the_calls_of_the_row() -> None:
    valid, errors = validate_input(GOOD, RULES)

    assert (valid, errors) == (True, [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"username": None}, "username is required"),
        ({"username": "al"}, "username must be at least 3 long"),
        ({"username": "a" * 51}, "username must be at most 50 long"),
        ({"username": "ada l"}, "username does not have the right form"),
        ({"username": "ada_l\n"}, "username does not have the right form"),
        ({"username": 7}, "username must be of type str"),
        ({"email": "ada"}, "email is not valid"),
        ({"age": "7"}, "age must be of type int"),
        ({"age": True}, "age must be of type int"),
        ({"age": -1}, "age is not valid"),
        ({"tags": "ab"}, "tags must be of type list or tuple"),
        ({"tags": ["a", "b", "c"]}, "tags must be at most 2 long"),
    ],
)
def test_each_rule_refuses(change: dict[str, Any], told: str) -> None:
    assert validate_input({**GOOD, **change}, RULES) == (False, [told])


def test_all_mistakes_are_told_at_once() -> None:
    valid, errors = validate_input({"username": "?", "age": None}, RULES)

    assert not valid
    assert [error.split()[0] for error in errors] == ["username", "username", "email"]


def test_unknown_fields_pass_unless_they_may_not() -> None:
    more = {**GOOD, "admin": True}

    assert validate_input(more, RULES) == (True, [])
    assert validate_input(more, RULES, allow_unknown=False) == (False, ["admin is not known here"])


def test_a_bool_is_taken_where_a_bool_is_wanted() -> None:
    assert validate_input({"on": True}, {"on": {"type": bool}}) == (True, [])
    assert validate_input({"on": True}, {"on": {}}) == (True, [])


def test_a_pattern_refuses_what_is_no_text() -> None:
    assert validate_input({"code": 7}, {"code": {"pattern": "7"}}) == (False, ["code does not have the right form"])


def test_script_is_shown_and_not_run() -> None:
    assert sanitize_input("<script>alert('x')</script>") == "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"


def test_text_inside_lists_and_tables_is_encoded_and_the_rest_left_alone() -> None:
    assert sanitize_input({"<a>": ["&", 7, None, {"b": '"'}]}) == {"&lt;a&gt;": ["&amp;", 7, None, {"b": "&quot;"}]}


@given(st.text())
def test_what_is_shown_holds_no_markup_and_no_controls(text: str) -> None:
    shown = sanitize_input(text)

    assert not set("<>\"'\x00\x1b\x7f") & set(shown)
