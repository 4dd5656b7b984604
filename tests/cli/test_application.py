"""Applications are found by name, and what goes wrong in them is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.cli.application import load_app
from garrison.errors import PolicyError, UsageError


@pytest.mark.parametrize(
    ("name", "value"),
    [("thing:app", 1), ("thing", 1), ("thing:box.inner", 2), ("thing:make()", 3), ("pack.deep:app", 4)],
)
def test_an_application_is_found_by_module_and_name(folder: Path, name: str, value: int) -> None:
    (folder / "thing.py").write_text("app = 1\nclass box:\n    inner = 2\ndef make():\n    return 3\n", "utf-8")
    (folder / "pack").mkdir()
    (folder / "pack" / "deep.py").write_text("app = 4\n", "utf-8")

    assert load_app(name) == value


@pytest.mark.parametrize(
    ("source", "name", "words"),
    [
        ("", "nowhere:app", "there is no module nowhere"),
        ("", "broken.inner:app", "there is no module broken.inner"),
        ("", "broken:nothing", "broken has no nothing"),
        ("import does_not_exist\n", "broken:app", "ModuleNotFoundError"),
        ("x = 1\ny = x / 0\n", "broken:app", "line 2"),
        ("def (:\n", "broken:app", "broken.py, line 1"),
        ("def app():\n    raise ValueError('no')\n", "broken:app()", "calling broken:app() failed: ValueError: no"),
    ],
)
def test_what_goes_wrong_is_told_with_its_place(folder: Path, source: str, name: str, words: str) -> None:
    (folder / "broken.py").write_text(source, "utf-8")

    with pytest.raises(UsageError) as told:
        load_app(name)

    assert words in str(told.value)


def test_a_guard_that_does_not_stand_tells_its_own_problems(folder: Path) -> None:
    """An application that composes while it is imported: its problems are the policy's, not the import's."""
    (folder / "garrison.toml").write_text("sevice = 1\n", "utf-8")
    (folder / "guarded.py").write_text(
        "from garrison import GarrisonWSGI\napp = GarrisonWSGI(lambda environ, start: [])\n", "utf-8"
    )

    with pytest.raises(PolicyError):
        load_app("guarded:app")
