"""What the handbook page names is there: classes, pages, tests, commands."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from garrison import handbook
from garrison.policy.lint import RULES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "handbook.md"
TEXT = PAGE.read_text("utf-8")


def found(pattern: str) -> list[str]:
    return sorted(set(re.findall(pattern, TEXT)))


def test_every_class_of_the_handbook_is_named() -> None:
    """Whoever adds one says where it belongs."""
    classes = [name for name in handbook.__all__ if isinstance(getattr(handbook, name), type)]

    assert [name for name in classes if f"`{name}`" not in TEXT] == []


def test_it_names_something_of_each() -> None:
    """A pattern below that finds nothing would prove nothing."""
    assert len(found(r"attacks\.md#(\w+)")) > 40
    assert len(found(r"`(tests/[\w/.]+)`")) > 10
    assert len(found(r"[#`](garrison\.[\w.]+)[)`]")) > 15


@pytest.mark.parametrize("name", found(r"[#`](garrison\.[\w.]+)[)`]"))
def test_a_named_part_can_be_imported(name: str) -> None:
    module, _, last = name.rpartition(".")
    try:
        import_module(name)
    except ImportError:
        assert hasattr(import_module(module), last)


@pytest.mark.parametrize("path", found(r"`((?:tests|examples)/[\w/.]+)`"))
def test_a_named_test_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", found(r"attacks\.md#(\w+)"))
def test_a_named_attack_is_there(name: str) -> None:
    assert (ROOT / "tests" / "attacks" / f"{name}.py").exists()


@pytest.mark.parametrize("link", found(r"\]\(([^)#:]+)[)#]"))
def test_a_linked_page_is_there(link: str) -> None:
    assert (PAGE.parent / link).is_file()


@pytest.mark.parametrize("command", found(r"`garrison ((?:\w+ )?[a-z][a-z-]+)"))
def test_a_named_command_is_there(command: str) -> None:
    """One word, or the two of a group; the reference is what the commands say of themselves."""
    assert f"Usage: garrison {command} " in (PAGE.parent / "reference" / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("number", found(r"GP\d{3}"))
def test_a_named_rule_is_there(number: str) -> None:
    assert number in RULES
