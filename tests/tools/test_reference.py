"""The reference is made from the code and current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from garrison.model.http.refusal import REFUSALS
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
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "docs" / "reference")
    monkeypatch.setattr(reference, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text("<!-- figures -->\nold\n<!-- end of figures -->\n", "utf-8")

    assert reference.main(["--check"]) == 1
    assert "docs/reference/lint.md is stale" in capsys.readouterr().out
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    assert "| ratio |" in (tmp_path / "README.md").read_text("utf-8")


def test_every_refusal_is_listed() -> None:
    page = reference.pages()["refusals.md"]

    assert all(f"| `{code}` | {told.status} |" in page for code, told in REFUSALS.items())


def test_every_attack_is_listed_with_what_it_is() -> None:
    page = reference.pages()["attacks.md"]

    for file in reference.ATTACKS.glob("test_*.py"):
        _, _, told = page.partition(f"### {file.stem}\n\n")
        assert told[:1].isupper()


def test_figures_are_kept_as_ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare time is a machine's and not ours to publish."""
    for name, file in {"FIGURES": "figures.json", "README": "README.md"}.items():
        monkeypatch.setattr(reference, name, tmp_path / file)
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "docs" / "reference")
    (tmp_path / "README.md").write_text("", "utf-8")
    figure = {"name": "a", "ours": 1.0, "rival": 3.0, "ratio": 1 / 3, "bar": 0.25, "held": False, "least": False}
    (tmp_path / "run.json").write_text(json.dumps([figure]), "utf-8")

    assert reference.main(["--figures", str(tmp_path / "run.json")]) == 0
    page = (tmp_path / "docs" / "reference" / "figures.md").read_text("utf-8")
    assert "| a | 0.333 | at most 0.25 | **missed** |" in page
    assert "0 of 1 bars held." in page
    assert "rival" not in (tmp_path / "figures.json").read_text("utf-8")


def test_the_readme_shows_figures_that_are_measured() -> None:
    rows = json.loads(reference.FIGURES.read_text("utf-8"))

    assert set(reference.IN_README) <= {row["name"] for row in rows}
