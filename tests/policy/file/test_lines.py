"""Lines of a TOML file: every member has one, and it is the one it stands on."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.model.fit import Path
from garrison.policy.file.lines import DEEPEST, lines_of
from garrison.policy.file.write import inline

FILE = '''# a comment = 1
service = "notes"  # and another
"quoted key" = 1
a.b."c.d" = [
    1,  # one
    "two]", { x = 3, 'y z' = [4] },
]

[routes]
"GET /notes/{id}" = { own = true, scopes = ["notes:read"], require = { fresh = "5m" } }
text = """
[not.a.table]
x = 1"""
raw = \'\'\'
a = 2\'\'\'
when = 1979-05-27 07:32:00
float = -1.5e3
empty = []
none = {}
[[list]]
x = 1
[list.below]
y = 2
[[list]]
x = 3
[[list.inner]]
z = 4
'''


def test_each_member_has_its_line() -> None:
    lines = lines_of(FILE)

    assert lines["service",] == 2
    assert lines["quoted key",] == 3
    assert lines["a", "b", "c.d"] == 4
    assert lines["a", "b", "c.d", 0] == 5
    assert lines["a", "b", "c.d", 1] == 6
    assert lines["a", "b", "c.d", 2, "y z", 0] == 6
    assert lines["routes",] == 9
    assert lines["routes", "GET /notes/{id}", "require", "fresh"] == 10
    assert lines["routes", "text"] == 11
    assert lines["routes", "raw"] == 14
    assert lines["routes", "when"] == 16
    assert lines["routes", "none"] == 19
    assert lines["list", 0, "x"] == 21
    assert lines["list", 0, "below", "y"] == 23
    assert lines["list", 1, "x"] == 25
    assert lines["list", 1, "inner", 0, "z"] == 27


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    """Every path of a decoded document."""
    found = {path} if path else set()
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        found |= paths_of(inner, (*path, step))
    return found


def test_no_member_is_missed_and_none_made_up() -> None:
    assert set(lines_of(FILE)) == paths_of(tomllib.loads(FILE))


NAMES = st.text(max_size=4)
VALUES = st.recursive(
    st.text(max_size=6) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=3), st.sampled_from(["", "# [x]\n"]))
def test_whatever_stands_in_a_file_is_found(tables: dict[str, dict[str, Any]], between: str) -> None:
    """Both readers of the file see the same members."""
    text = between
    for name, table in tables.items():
        text += f"[{inline(name)}]\n{between}"
        text += "".join(f"{inline(key)}{' ' * len(key)} = {inline(value)}\n" for key, value in table.items())

    lines = lines_of(text)

    assert set(lines) == paths_of(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") for line in lines.values())


@given(st.text(alphabet="a.=[]{}\"'#\n ,1", max_size=30))
def test_whatever_is_toml_is_followed_to_its_end(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert set(lines_of(text)) == paths_of(document)


@pytest.mark.parametrize("opening", ["{key} = 1", "[{key}]", "[[{key}]]", "x = {lists}"])
def test_a_path_without_end_is_refused_with_its_line(opening: str) -> None:
    """`tomllib` reads dotted keys of any length; whatever walks the document afterwards would run out of stack."""
    text = "a = 1\n" + opening.format(key=".".join("b" * (DEEPEST + 1)), lists="[" * DEEPEST + "1" + "]" * DEEPEST)

    with pytest.raises(RecursionError, match=r"at line 2, column 1"):
        lines_of(text)


def test_the_longest_path_has_its_line() -> None:
    assert lines_of("\n" + ".".join("b" * DEEPEST) + " = 1")[("b",) * DEEPEST] == 2
