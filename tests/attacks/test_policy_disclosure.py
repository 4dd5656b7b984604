"""A policy that somebody else wrote shows nothing of the machine that reads it.

Whoever may propose a policy (a pull request, an upload to a control panel) must not read files with it, fetch
addresses with it, or find its secrets in the problems.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from garrison.policy.load import read

SECRET = "correct-horse-battery-staple"


def told(folder: Path, route: str) -> str:
    """Everything that reading the policy says."""
    file = folder / "garrison.toml"
    file.write_text(f'[routes]\n"POST /a" = {{ body = "{route}" }}')
    return "\n".join(map(str, read(file).problems))


@pytest.mark.parametrize("name", ["../secret.json", "sub/../../secret.json", "link.json", "{absolute}"])
def test_a_file_outside_the_directory_is_not_read(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    secret = tmp_path / "secret.json"
    secret.write_text(SECRET)
    (home / "link.json").symlink_to(secret)

    text = told(home, name.replace("{absolute}", str(secret)))

    assert "outside the policy's directory" in text
    assert SECRET not in text


@pytest.mark.parametrize("target", ["file://{absolute}", "secret.json", "http://127.0.0.1:9/schema.json"])
def test_a_schema_that_points_elsewhere_is_not_followed(target: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(f'{{"const": "{SECRET}"}}')
    target = target.replace("{absolute}", str(secret))
    (tmp_path / "schema.json").write_text(f'{{"$ref": "{target}"}}')

    text = told(tmp_path, "schema.json")

    assert "GP029" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "line",
    [
        f'[secrets]\nroot = "{SECRET}"',
        f'[secrets]\nroot = ["{SECRET}"]',
        f'[jwt]\nsecret = "{SECRET}"',
    ],
)
def test_a_secret_in_the_wrong_place_is_refused(line: str) -> None:
    """Secrets stand in a policy by reference alone; where one is written down, the policy does not load."""
    reading = read(line)

    assert reading.policy is None
    assert SECRET not in "\n".join(map(str, reading.problems))


def test_a_schema_that_is_no_schema_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(f"-----BEGIN {SECRET}")

    assert SECRET not in told(tmp_path, "key.pem")
