"""Every policy that a page shows as a file is one that may be copied: no error in any environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from garrison.policy.load import load

ROOT = Path(__file__).parents[2]
FILES = re.compile(r'^```\w+ title="(?P<name>[^"/]+\.(?:toml|json))"\n(?P<text>.*?)^```', re.MULTILINE | re.DOTALL)
ALL = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PAGES = [page for page in ALL if FILES.search(page.read_text("utf-8"))]


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_loads(page: Path, environment: str, tmp_path: Path) -> None:
    written = [tmp_path / found["name"] for found in FILES.finditer(page.read_text("utf-8"))]
    for file, found in zip(written, FILES.finditer(page.read_text("utf-8")), strict=True):
        file.write_text(found["text"], "utf-8")

    policies = [load(file, environment) for file in written if file.suffix == ".toml"]

    assert all(policy.routes for policy in policies)


def test_there_are_some() -> None:
    assert len(PAGES) > 8
