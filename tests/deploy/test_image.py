"""The image holds what serving takes and nothing else; its linter finds what it is there for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.places import DEPLOY, ROOT, in_venv, judged

DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
_PIN = re.compile(r"^([a-z].*?) \\\n((?:    --hash=.*\n)+)", re.MULTILINE)


def pins(path: Path) -> dict[str, tuple[str, ...]]:
    return {pin: tuple(hashes.replace("\\", "").split()) for pin, hashes in _PIN.findall(path.read_text("utf-8"))}


def without_marker(path: Path) -> dict[str, tuple[str, ...]]:
    return {pin.partition(" ;")[0]: hashes for pin, hashes in pins(path).items()}


def test_the_linter_has_nothing_to_say() -> None:
    assert judged(in_venv("hadolint"), DEPLOY / "Dockerfile") == (True, "")


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("USER 10001:10001", "USER root", "DL3002"),
        ("FROM python:${PYTHON} AS build", "FROM python AS build", "DL3006"),
        ("FROM python:${PYTHON} AS build", "FROM python:latest AS build", "DL3007"),
        ("WORKDIR /app", "WORKDIR app", "DL3000"),
        ("EXPOSE 8000", "EXPOSE 80000", "DL3011"),
        ("EXPOSE 8000", "RUN apt-get update && apt-get install -y curl", "DL3008"),
        ('ENTRYPOINT ["garrison", "serve"', 'ENTRYPOINT garrison "serve"', "DL3025"),
        ("COPY --from=build /app/venv venv", "COPY --from=builder /app/venv venv", "DL3022"),
        ("COPY examples/__init__.py examples/", "COPY examples/__init__.py examples/a.py examples", "DL3021"),
        ("EXPOSE 8000", "EXPOSEE 8000", "25:"),
    ],
)
def test_the_linter_finds_what_is_planted(tmp_path: Path, right: str, wrong: str, rule: str) -> None:
    assert right in DOCKERFILE
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace(right, wrong), "utf-8")

    found = judged(in_venv("hadolint"), tmp_path / "Dockerfile")

    assert not found.held
    assert rule in found.text


def test_it_is_nobody_and_is_told_where_its_secrets_are() -> None:
    assert re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE) == [("10001", "10001")]
    assert not re.search(r"(?i)^(?:ARG|ENV).*(?:password|secret|root_key|token)", DOCKERFILE, re.MULTILINE)


def test_only_what_is_listed_can_get_into_it() -> None:
    """A key that lies in the checkout stays outside."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    everything, *allowed = [line for line in ignored if not line.startswith("#")]
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]

    assert everything == "*"
    assert {f"!{source}" for sources in copied for source in sources} == set(allowed)
    assert all(any(ROOT.glob(line[1:])) for line in allowed if "/dist/" not in line)


def test_its_lock_is_a_part_of_the_whole_one() -> None:
    """What is deployed is what was tested, file for file."""
    whole, part = without_marker(ROOT / "requirements.lock"), without_marker(DEPLOY / "requirements.lock")

    assert len(part) > 20
    assert {name: whole.get(name) for name in part} == part


def test_what_is_in_it_is_enough_to_serve(tmp_path: Path) -> None:
    """A folder with the locked packages, the wheel and the example alone: what is missing there is missing in it."""
    for requirement in map(Requirement, pins(DEPLOY / "requirements.lock")):
        if requirement.marker is None or requirement.marker.evaluate():
            found = distribution(requirement.name)
            for top in {path.parts[0] for path in found.files or () if path.parts[0] not in {"..", "__pycache__"}}:
                if not (tmp_path / top).exists():
                    (tmp_path / top).symlink_to(Path(str(found.locate_file(top))))
    (tmp_path / "garrison").symlink_to(os.environ.get("GARRISON_UNDER_TEST", ROOT / "src" / "garrison"))
    shutil.copytree(ROOT / "examples" / "tasks", tmp_path / "examples" / "tasks", ignore=shutil.ignore_patterns("page"))
    shutil.copy(ROOT / "examples" / "__init__.py", tmp_path / "examples")
    check = ["check", "--strict", "--app", "examples.tasks.main:app", "--policy", str(DEPLOY / "systemd/garrison.toml")]
    program = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import asyncpg, psycopg, redis, examples.tasks.shared;"
        f" from garrison.cli import main; sys.argv = ['garrison', *{check!r}]; main()"
    )

    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PATH": os.environ["PATH"], "TASKS_DB": str(tmp_path / "tasks.db")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "0 problems" in done.stdout
