"""The mutants are wrong in the ways they say, and what no test can notice is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.mutants import Mutant, Result, apply, candidates, table

PATH = Path("src/garrison/limits/rate.py")


def changes(text: str) -> list[str]:
    return [mutant.change for mutant in candidates(PATH, text)]


def play(text: str) -> list[Any]:
    """What `x` is in each mutant."""
    played = []
    for mutant in candidates(PATH, text):
        names: dict[str, Any] = {}
        exec(apply(mutant, text), names)
        played.append(names["x"])
    return played


@pytest.mark.parametrize(
    ("text", "change", "x"),
    [
        ("a = b = 'a'; x = a < b", "Lt becomes LtE", True),
        ("a = b = 'a'; x = a >= b", "GtE becomes Gt", False),
        ("a = 'a'; x = a == 'a'", "Eq becomes NotEq", False),
        ("x = 'a' in 'ab'", "In becomes NotIn", False),
        ("x = 'a' and ''", "And becomes Or", "a"),
        ("x = not ''", "Not is left out", False),
        ("x = 7", "7 becomes 8", 8),
        ("x = True", "True becomes False", False),
        ("x = ['a']\nx.clear()", "x.clear() is left out", ["a"]),
    ],
)
def test_changes_one_thing(text: str, change: str, x: object) -> None:
    assert changes(text) == [change]
    assert play(text) == [x]


def test_each_mutant_has_one_change() -> None:
    assert play("x = 5 - 3") == [8, 3, 1]


@pytest.mark.parametrize(
    "text",
    [
        "'''Text.'''",
        "__all__ = ['a'][0:1]",
        "def f(a: int | 1) -> 1: ...",
        "if TYPE_CHECKING:\n    x = 1",
        "x = 'a' + 'b'",
        "x = None",
        "x = 1.5",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert changes(text) == []


def test_the_table_rounds_down() -> None:
    """99.6 % is not all."""
    survivor = Mutant(PATH, 1, 1, "Lt becomes LtE")

    assert Result("limits", 250, [survivor]).percent == 99
    assert Result("empty", 0, []).percent == 100
    assert table([Result("limits", 250, [survivor])]).splitlines()[2] == "| limits | 250 | 249 | 99 % |"
