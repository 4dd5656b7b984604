"""A program that is missing is named with what to run, and nothing is installed by whoever may not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "installed"


def run(program: str, path: str) -> subprocess.CompletedProcess[str]:
    words = ["bash", str(TOOL), program, "the-package", "the tests"]
    return subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_what_is_there_costs_no_word() -> None:
    done = run("sh", os.environ["PATH"])

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_missing_is_told_in_one_line(tmp_path: Path) -> None:
    """As somebody who is not root."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)

    done = run("no-such-program", f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no no-such-program found" in done.stderr
    assert done.stderr.endswith("run as root: apt-get install the-package\n")
