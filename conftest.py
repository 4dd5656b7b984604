"""The documentation is part of the tests: its code blocks run."""

from __future__ import annotations

from pathlib import Path

from tools.pages import pages

pytest_collect_file = pages(Path(__file__).parent).pytest()
