"""What is imported has every file of the source: pages, word lists and the mark of a typed package included."""

from __future__ import annotations

from importlib.metadata import entry_points, version
from pathlib import Path

import garrison

SOURCE = Path(__file__).parents[2] / "src" / "garrison"


def files(package: Path) -> set[str]:
    return {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_no_file_of_the_source_is_missing() -> None:
    """The build leaves out what .gitignore names, silently."""
    assert files(Path(garrison.__file__).parent) == files(SOURCE)
    assert "py.typed" in files(SOURCE)


def test_the_version_is_said_once() -> None:
    assert garrison.__version__ == version("garrison")


def test_the_command_is_there() -> None:
    assert [command.value for command in entry_points(group="console_scripts", name="garrison")][:1] == [
        "garrison.cli:main"
    ]
