"""The reference is made from the code and current."""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.policy.lint import RULES
from tools import reference


def test_the_pages_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    """`python tools/reference.py` writes them."""
    assert reference.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_every_rule_has_a_line_in_the_docs() -> None:
    page = reference.pages()["lint.md"]

    assert all(f"### {number}: " in page for number in RULES)


def test_every_table_is_described() -> None:
    page = reference.pages()["policy.md"]

    assert all(f"## {title}\n" in page for title in reference.TITLES.values())


def test_a_stale_page_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")

    assert reference.main(["--check"]) == 1
    assert "docs/reference/lint.md is stale" in capsys.readouterr().out
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
