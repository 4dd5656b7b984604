"""A caller behaves well until the guard remembers the request, then sends a hostile one that looks like it.

What a guard refuses at first sight it refuses at the hundredth: lengths, bodies, heads, hosts and second credentials.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.drive import drive
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from garrison.testing.clock import ManualClock
from tests.journeys.places import PLACES, Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[caps]
body = "1KiB"
header_bytes = "4KiB"

[routes]
"POST /echo" = { scopes = ["notes:write"] }
"""
TIMES = 5
"""More than any memory needs to begin to remember."""
JSON = ("content-type", "application/json")

HOSTILE: dict[str, tuple[list[tuple[str, str]], bytes, int]] = {
    "a body over the cap": ([JSON], b'"' + b"x" * 2_000 + b'"', 413),
    "two readings of one body": ([JSON], b'{"a":1,"a":2}', 400),
    "half a body": ([JSON], b'{"a":', 400),
    "a length that is none": ([JSON, ("content-length", "-2")], b"{}", 400),
    "two lengths": ([JSON, ("content-length", "2"), ("content-length", "9")], b"{}", 400),
    "a heavy head": ([JSON, ("x-heavy", "y" * 5_000)], b"{}", 431),
    "a token beside the key": ([JSON, ("authorization", "Bearer a.b.c")], b"{}", 400),
    "another host": ([JSON, ("host", "evil.net")], b"{}", 421),
}


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = compose(load(POLICY, "development"), clock=ManualClock())
    yield runtime
    runtime.close()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, runner: asyncio.Runner, runtime: Runtime) -> Place:
    return PLACES[request.param](runtime, runner)


@pytest.mark.parametrize("warm", [0, TIMES])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_good_behaviour_buys_nothing(place: Place, runtime: Runtime, hostile: str, warm: int) -> None:
    new = NewKey(name="n", scopes=("notes:write",))
    issued = drive(runtime.driven_side.keys.create(new, By(OPERATOR, 0)))
    assert isinstance(issued, Issued), issued
    key = ("x-api-key", issued.text)
    assert [place.call("POST", "/echo", [key, JSON], b"{}").status for _ in range(warm)] == [200] * warm

    headers, body, status = HOSTILE[hostile]

    assert place.call("POST", "/echo", [key, *headers], body).status == status
    assert place.call("POST", "/echo", [key, JSON], b"{}").status == 200
