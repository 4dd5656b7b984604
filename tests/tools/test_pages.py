"""A block that does not work fails, and what a page says of files, names and output is held."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools.pages import pages


def play(folder: Path, text: str) -> int:
    """Run the blocks of a page as pytest would, and tell how many there were."""
    page = folder / "README.md"
    page.write_text(text)
    sybil = pages(folder, commands=folder)
    document = sybil.parse(page)
    assert sybil.setup is not None
    assert sybil.teardown is not None
    sybil.setup(document.namespace)
    try:
        examples = list(document.examples())
        for example in examples:
            example.evaluate()
    finally:
        sybil.teardown(document.namespace)
    return len(examples)


def fence(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```", ""])


def test_names_carry_over_and_structs_find_their_types(tmp_path: Path) -> None:
    """Annotations are text when a struct is made; they are looked up in the module of the page."""
    page = fence(
        "python",
        "from __future__ import annotations",
        "from msgspec import Struct, convert",
        "class A(Struct):",
        "    n: int",
    )
    page += fence("python", "class B(Struct):", "    a: A", "assert convert({'a': {'n': 1}}, B).a.n == 1")

    assert play(tmp_path, page) == 2


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "assert 1 == 2"),
        ("python", "1 +"),
        ("toml", "a = "),
        ("json", "{,}"),
        ('toml title="x"', "a = "),
        ("console", "$ ls"),
    ],
)
def test_a_wrong_block_fails(tmp_path: Path, language: str, line: str) -> None:
    with pytest.raises((AssertionError, ValueError, SyntaxError)):
        play(tmp_path, fence(language, line))


def test_blocks_that_are_only_shown(tmp_path: Path) -> None:
    assert play(tmp_path, fence("sh", "$ rm x") + fence("text", "?") + fence("", "?")) == 0


def test_a_titled_block_is_a_file_of_the_page(tmp_path: Path) -> None:
    """The page's folder is empty before and gone after; a Python file can be imported."""
    page = (
        fence('toml title="garrison.toml"', "a = 1")
        + fence('text title="b.txt"', "b")
        + fence('python title="main.py"', "app = 1")
    )
    page += fence(
        "python",
        "import os, sys, main",
        "from pathlib import Path",
        "assert sorted(os.listdir()) == ['b.txt', 'garrison.toml', 'main.py'] or '__pycache__' in os.listdir()",
        "assert Path('garrison.toml').read_text() == 'a = 1\\n'",
        "assert main.app == 1",
    )
    before, path = Path.cwd(), list(sys.path)

    assert play(tmp_path, page) == 4
    assert Path.cwd() == before
    assert sys.path == path
    assert "main" not in sys.modules


def test_the_tests_of_a_page_are_run(tmp_path: Path) -> None:
    page = fence('python title="main.py"', "app = 1") + fence(
        'python title="test_main.py"', "from main import app", "def test_app() -> None:", "    assert app == 2"
    )

    with pytest.raises(AssertionError):
        play(tmp_path, page)


def test_the_tests_of_a_page_are_run_as_the_reader_runs_them(tmp_path: Path) -> None:
    """What the page has imported and configured before them, the reader's pytest has not."""
    page = fence('python title="main.py"', "app = 1") + fence("python", "import main", "main.app = 2")
    page += fence(
        'python title="test_main.py"',
        "import sys",
        "import pytest",
        "@pytest.mark.parametrize('app', [1])",
        "def test_app(app: int) -> None:",
        "    assert 'main' not in sys.modules",
        "    from main import app as found",
        "    assert found == app",
    )

    assert play(tmp_path, page) == 3


def test_a_variable_holds_to_the_end_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GARRISON_PAGE", raising=False)
    page = fence("console", "$ export GARRISON_PAGE=one two") + fence("console", "$ export GARRISON_PAGE='three four'")
    page += fence("python", "import os", "assert os.environ['GARRISON_PAGE'] == 'three four'")

    assert play(tmp_path, page) == 3
    assert "GARRISON_PAGE" not in os.environ


@pytest.fixture
def garrison(tmp_path: Path) -> Path:
    """A command that prints its arguments and fails when told so."""
    command = tmp_path / "garrison"
    command.write_text('#!/bin/sh\necho "it: $*"\necho two\n[ "$1" != fail ]\n')
    os.chmod(command, 0o755)
    return tmp_path


@pytest.mark.parametrize(
    "lines",
    [
        ("$ garrison keys create 'a b'",),
        ("$ garrison check   # a comment", "it: check", "two"),
        ("$ garrison check", "it: check", "two", "", "$ garrison init", "it: init", "..."),
        ("$ garrison check", "...wo"),
    ],
)
def test_console_holds(garrison: Path, lines: tuple[str, ...]) -> None:
    assert play(garrison, fence("console", *lines)) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ("$ garrison fail",),
        ("$ garrison check", "it: check"),
        ("$ garrison check", "it: other", "two"),
        ("$ garrison check", "$ garrison fail"),
        ("$ garrison check", "tw..."),
    ],
)
def test_console_fails(garrison: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError):
        play(garrison, fence("console", *lines))


def test_a_conftest_is_for_the_tests_of_the_page_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it changes in the environment must not be seen by the pages and tests that come after."""
    monkeypatch.delenv("OF_A_CONFTEST", raising=False)
    conftest = '```python title="conftest.py"\nimport os\n\nos.environ["OF_A_CONFTEST"] = "1"\n```\n\n'
    tests = (
        '```python title="test_it.py"\nimport os\n\n\ndef test_it() -> None:\n'
        '    assert os.environ["OF_A_CONFTEST"] == "1"\n```\n'
    )

    assert play(tmp_path, conftest + tests) == 2
    assert "OF_A_CONFTEST" not in os.environ
