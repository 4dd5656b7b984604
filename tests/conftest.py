"""What all tests share: how hard hypothesis tries, an event loop, and the proof that the wheel is what is tested."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import garrison

# `make test` tries the same examples every time, so that it fails only for a change; `make prove` draws new ones.
hypothesis.settings.register_profile("test", deadline=None, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("prove", deadline=None, max_examples=3000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def pytest_configure() -> None:
    """Refuse to test another Garrison than the one asked for: a wheel that lacks a file must not pass by the source."""
    wanted = os.environ.get("GARRISON_UNDER_TEST")
    found = Path(garrison.__file__).parent
    if wanted and found != Path(wanted).resolve():
        raise pytest.UsageError(f"these tests are for {wanted}, but garrison is imported from {found}")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case with bytes by its argument: keys drawn anew in each process must not name tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop of the test's own: `runner.run(coroutine)`."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(autouse=True, scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in a folder of the tests' own: what development keeps under `var/` is a running server's (GP900)."""
    with contextlib.chdir(tmp_path_factory.mktemp("elsewhere")):
        yield
