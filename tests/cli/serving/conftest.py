"""A server on loopback to which a test says bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.adapters.world import at_work
from tests.cli.serving.raw import POLICY, Line


@pytest.fixture
def line(runner: asyncio.Runner) -> Iterator[Line]:
    """In development: localhost is served."""
    with at_work(POLICY) as runtime:
        yield Line(runner, runtime)
