"""The mutants are wrong in the ways they say, and what no test can notice is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.mutants import HEAVY, SAMPLE, Mutant, Result, apply, candidates, publish

PATH = Path("src/garrison/limits/rate.py")
REPOSITORY = Path(__file__).parents[2]


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
        "class A(B, frozen=True): ...",
        "x = zip('a', 'b', strict=True)",
        "x = f'{y[:40]!r} is no name'",
        "def f(a: int | 1) -> 1: ...",
        "if TYPE_CHECKING:\n    x = 1",
        "x = 'a' + 'b'",
        "x = None",
        "x = 1.5",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert changes(text) == []


def test_the_page_rounds_down_and_keeps_the_rows_of_other_packages(tmp_path: Path) -> None:
    """99.6 % is not all, and a package can be tried alone."""
    survivor, page = Mutant(PATH, 1, 1, "Lt becomes LtE"), tmp_path / "proof" / "mutants.md"

    publish([Result("tokens", SAMPLE, []), Result("limits", 10, [])], page)
    publish([Result("limits", 250, [survivor])], page)

    assert Result("empty", 0, []).percent == 100
    assert page.read_text("utf-8").splitlines()[-2:] == [
        "| limits | 250 | 249 | 99 % |",
        f"| tokens | {SAMPLE} | {SAMPLE} | 100 % |",
    ]


def test_nothing_of_garrison_is_loaded_before_the_mutants() -> None:
    """It would be tested in place of every mutant, and none would ever be caught."""
    code = "import sys, tools.mutants\nfor name in sys.argv[1:]: __import__(name)\nassert 'garrison' not in sys.modules"

    subprocess.run([sys.executable, "-c", code, *HEAVY], check=True, cwd=REPOSITORY)
