"""Every example stands our own check: its policy is sound, and it and the application have the same routes."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
APPLICATIONS = {
    "django_notes": "examples.django_notes.app:application",
    "flask_notes": "examples.flask_notes.app:app",
    "tasks": "examples.tasks.main:app",
}


def test_all_of_them_are_known_here() -> None:
    assert sorted(policy.parent.name for policy in EXAMPLES.glob("*/garrison.toml")) == sorted(APPLICATIONS)


def check(folder: Path, environment: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `garrison check` in an empty folder, in a process of its own: Django has one configuration each."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(EXAMPLES.parent)]))
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    told = {"GARRISON_ENV": environment, "GARRISON_ROOT_KEY": key, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-m", "garrison", "check", *words],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_policy_fits_the_application(tmp_path: Path, name: str) -> None:
    policy = str(EXAMPLES / name / "garrison.toml")
    done = check(tmp_path, "development", "-p", policy, "--app", APPLICATIONS[name])

    assert (done.returncode, done.stderr) == (0, "")
    assert "GP7" not in done.stdout


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_policy_is_one_to_copy(tmp_path: Path, name: str, environment: str) -> None:
    """Outside development not even a warning is left."""
    done = check(tmp_path, environment, "--strict", "-p", str(EXAMPLES / name / "garrison.toml"))

    assert (done.returncode, done.stderr) == (0, "")
