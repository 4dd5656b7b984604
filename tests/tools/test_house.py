"""The house measures what it says, and misses nothing that it forbids."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import house

SHIPPED = Path("src/garrison/limits/rate.py")
GOOD = '''"""One sentence."""

__all__ = ["Limit", "take"]

_SECRET = 1


class Limit:
    """A limit."""

    def every(self) -> int:
        """Microseconds."""
        return 1

    def __repr__(self) -> str:
        return ""


def take() -> int:
    """Spend one.

    Returns:
        One.
    """
    return 1
'''


def faults(text: str, path: Path = SHIPPED) -> list[str]:
    """Every complaint about one file, with its line."""
    return [f"{fault.line} {fault.text}" for fault in house.judge([house.read(path, text)])[1]]


def rows(text: str) -> dict[str, house.Row]:
    return {row.measure: row for row in house.judge([house.read(SHIPPED, text)])[0]}


def test_a_good_module_passes() -> None:
    table = rows(GOOD)

    assert all(row.held for row in table.values())
    assert table["public names with a docstring"].value == "4 of 4"
    assert table["function lines median / p90 / p99 / max"].value == "2 / 2 / 2 / 2"
    assert faults(GOOD) == []


def body(*lines: str) -> str:
    """The good module with these lines before the return of its function."""
    return GOOD.removesuffix("    return 1\n") + "".join(f"    {line}\n" for line in lines) + "    return 1\n"


@pytest.mark.parametrize(
    ("lines", "complexity"),
    [
        ((), 1),
        (("if a: pass", "elif b: pass", "else: pass"), 3),
        (("for a in b: pass",), 2),
        (("while a: pass",), 2),
        (("try: pass", "except A: pass", "except B: pass", "else: pass", "finally: pass"), 4),
        (("match a:", "    case 1: pass", "    case 2: pass", "    case _: pass"), 3),
        (("match a:", "    case 1: pass", "    case b if b > 2: pass"), 3),
        (("def inner() -> None:", "    if a: pass"), 3),
        (("a = b and c or d if e else f",), 1),
    ],
)
def test_complexity_counts_the_ways_through(lines: tuple[str, ...], complexity: int) -> None:
    module = house.read(SHIPPED, body(*lines))

    assert next(f for f in module.functions if f.name == "take").complexity == complexity


@pytest.mark.parametrize(
    "statement", ["if a: pass", "for a in b: pass", "def a() -> None: pass", "a = b or c if d else e"]
)
def test_complexity_agrees_with_ruff(statement: str) -> None:
    """Ruff stops at 10 as well; both must mean the same, or one of them is no bar."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=C901", "--quiet", "-"]
    for count in (9, 10):
        text = body(*[statement] * count)

        ruff = subprocess.run(command, input=text, text=True, check=False, capture_output=True)

        assert bool(ruff.returncode) == any("complexity" in fault for fault in faults(text))


def test_a_function_of_fifty_lines_is_the_longest() -> None:
    """The docstring is not counted: words are welcome."""
    assert faults(body(*["a = 1"] * 48)) == []
    assert faults(body(*["a = 1"] * 49)) == ["19 take has 51 lines; make two functions of it"]


def test_a_module_of_four_hundred_lines_is_the_longest() -> None:
    filler = 400 - GOOD.count("\n")

    assert faults(GOOD + "\n" * filler) == []
    assert faults(GOOD + "\n" * (filler + 1)) == ["1 401 lines; make two modules of it"]


def test_a_median_over_the_bar_is_missed() -> None:
    """Many middling functions are as bad as one giant."""
    row = rows(body(*["a = 1"] * 6) + "\n\ndef _b() -> None:\n" + "    a = 1\n" * 7)[
        "function lines median / p90 / p99 / max"
    ]

    assert row.value == "2 / 8 / 8 / 8"
    assert row.held
    assert not rows("def _a() -> None:\n" + "    a = 1\n" * 6)["function lines median / p90 / p99 / max"].held


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        ('"""One sentence."""\n', "", "1 the module has no docstring"),
        ('    """A limit."""\n', "", "8 Limit has no docstring"),
        ('        """Microseconds."""\n', "", "11 every has no docstring"),
        ('__all__ = ["Limit", "take"]', "", "1 a public module without __all__"),
        ('["Limit", "take"]', '["Limit"]', "19 take is not in __all__; add it or begin it with _"),
        ("_SECRET = 1", "SECRET = 1", "5 SECRET is not in __all__; add it or begin it with _"),
        ("_SECRET = 1", "SECRET: int = 1", "5 SECRET is not in __all__; add it or begin it with _"),
        ("_SECRET = 1", "_SECRET = 1  # noqa: S105", "5 noqa: S105 gives no reason after it"),
        ("_SECRET = 1", "_SECRET = 1  # noqa  # the name misleads the rule", "5 noqa names no code"),
        ("_SECRET = 1", "_SECRET = 1  # type: ignore  # the stub is wrong here", "5 type: ignore names no code"),
        ("_SECRET = 1", "_SECRET = 1  # pragma: no cover", "5 pragma: no cover gives no reason after it"),
        ("_SECRET = 1", "_SECRET = 1  # fmt: skip", "5 fmt: skip gives no reason after it"),
    ],
)
def test_finds(wrong: str, right: str, fault: str) -> None:
    assert faults(GOOD.replace(wrong, right)) == [fault]


def test_a_computed_all_is_trusted() -> None:
    """Names that are loaded on first use stand in a table; `__all__` is its keys."""
    assert faults(GOOD.replace('["Limit", "take"]', "sorted(_WHERE)")) == []


def test_type_variables_are_not_exported() -> None:
    assert faults(GOOD.replace("_SECRET = 1", 'T = TypeVar("T")')) == []


def test_a_module_without_public_names_needs_no_all() -> None:
    assert faults('"""One sentence."""\n\nimport sys\n') == []


def test_overloads_setters_and_overrides_are_documented_once() -> None:
    text = GOOD.replace(
        "    def __repr__", "    @every.setter\n    def every(self) -> int:\n        return 1\n\n    def __repr__"
    )

    assert faults(text) == []


def test_one_reasoned_suppression_per_thousand_lines() -> None:
    suppressed = GOOD.replace("_SECRET = 1", "_SECRET = 1  # noqa: S105  # the name misleads the rule")
    both = suppressed.replace("return 1\n\n    def", "return 1  # type: ignore[a]  # the stub is wrong here\n\n    def")

    assert all(row.held for row in rows(suppressed).values())
    assert [row.value for row in rows(both).values() if not row.held] == ["2", "2"]


def test_suppressions_of_tests_are_counted_too() -> None:
    test = house.read(Path("tests/test_a.py"), "a = 1  # type: ignore[a]  # wrong on purpose\n" * 2)

    table = {row.measure: row for row in house.judge([test])[0]}

    assert table["suppressions, shipped code"].held
    assert not table["suppressions, all code"].held


@pytest.mark.parametrize(
    "path", ["src/garrison/utils.py", "src/garrison/core/a.py", "tools/_helpers.py", "tests/test_types.py"]
)
def test_nameless_modules_are_refused(path: str) -> None:
    assert any("no module is called" in fault for fault in faults("", Path(path)))


def test_a_package_has_at_most_twelve_modules() -> None:
    names = ["__init__", *"abcdefghijkl"]
    twelve = [house.read(Path(f"src/garrison/limits/{name}.py"), '"""A."""\n') for name in names]
    other = house.read(Path("src/garrison/limits/sub/m.py"), '"""A."""\n')
    thirteenth = house.read(Path("src/garrison/limits/m.py"), '"""A."""\n')

    assert house.judge([*twelve, other])[1] == []
    assert [fault.text for fault in house.judge([*twelve, thirteenth])[1]] == ["13 modules; make two packages of it"]


def test_prints_a_table_and_fails_over_a_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "src" / "garrison" / "rate.py"
    module.parent.mkdir(parents=True)
    module.write_text(GOOD)

    assert house.main(tmp_path) == 0
    assert "MISSED" not in capsys.readouterr().out

    module.write_text(GOOD.replace('    """A limit."""\n', ""))

    assert house.main(tmp_path) == 1
    printed = capsys.readouterr().out
    assert "MISSED" in printed
    assert "src/garrison/rate.py:8: Limit has no docstring" in printed
