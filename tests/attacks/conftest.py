"""What attacks have in common: every adapter in turn, and a raw connection to `garrison serve`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from garrison.runtime.compose import Runtime
from tests.adapters.world import at_work
from tests.cli.serving.raw import POLICY, Line
from tests.journeys.places import PLACES, Place


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, runner: asyncio.Runner, runtime: Runtime) -> Place:
    """Each adapter in turn, around the `runtime` of the attack."""
    return PLACES[request.param](runtime, runner)


@pytest.fixture
def line(runner: asyncio.Runner) -> Iterator[Line]:
    """A connection in development: localhost is served."""
    with at_work(POLICY) as runtime:
        yield Line(runner, runtime)
