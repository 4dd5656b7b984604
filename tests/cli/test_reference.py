"""The reference of the command line is what the commands say of themselves."""

from __future__ import annotations

import pytest

from garrison.cli.program import COMMANDS
from tools.commands import PAGE, main, page


def test_the_page_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_every_option_is_explained() -> None:
    """A line with an option and nothing behind it says nothing."""
    lines = [line for line in page().splitlines() if line.startswith("  -")]

    assert lines
    assert [line for line in lines if "  " not in line.strip()] == []
    assert PAGE.read_text("utf-8").count("--policy FILE") > len(COMMANDS)
