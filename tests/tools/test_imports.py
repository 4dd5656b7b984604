"""What is imported alone stays light: a piece of Garrison brings no event loop, no database and no framework."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "sqlite3",
    "socket",
    "ssl",
    "starlette",
    "fastapi",
    "flask",
    "django",
    "uvicorn",
    "typer",
    "cryptography",
    "jsonschema_rs",
}


def loaded(module: str) -> set[str]:
    """The modules that a fresh Python has after importing one."""
    command = [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"]
    return set(subprocess.run(command, check=True, text=True, capture_output=True).stdout.split())


@pytest.mark.parametrize(
    "module", ["garrison", "garrison.errors", "garrison.limits", "garrison.cors", "garrison.headers"]
)
def test_is_light(module: str) -> None:
    assert HEAVY.isdisjoint(loaded(module))


def test_the_measure_sees_what_is_loaded() -> None:
    assert {"asyncio", "ssl"} <= loaded("asyncio")
