"""Where the files of `deploy/` are, and how their linters are run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

__all__ = ["DEPLOY", "ROOT", "Judged", "documents", "in_venv", "judged", "policies"]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


class Judged(NamedTuple):
    """What a linter made of a file."""

    held: bool
    text: str


def judged(*words: object) -> Judged:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=120)
    return Judged(done.returncode == 0, done.stdout + done.stderr)


def in_venv(program: str) -> Path:
    """A linter that the locked dependencies bring."""
    return Path(sys.executable).with_name(program)


def documents() -> Iterator[dict[str, Any]]:
    """Every object of the Kubernetes set."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text("utf-8"))


def policies() -> dict[str, str]:
    """The policy of each way to deploy."""
    (config,) = (each for each in documents() if each["kind"] == "ConfigMap")
    found = {name: (DEPLOY / name / "garrison.toml").read_text("utf-8") for name in ("compose", "systemd")}
    return {**found, "kubernetes": config["data"]["garrison.toml"]}
