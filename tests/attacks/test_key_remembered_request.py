"""A request that just passed is repeated after its key was ended, confined, or has expired.

Whatever is remembered of the first one, down to the whole decision, must not carry the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

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

[routes]
"GET /plain" = { scopes = ["notes:read"] }
"POST /echo" = { scopes = ["notes:write"] }
"""
HOUR = 3_600_000_000
TIMES = 5
"""More than any memory needs to begin to remember."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def runtime(clock: ManualClock) -> Iterator[Runtime]:
    runtime = compose(load(POLICY, "development"), clock=clock)
    yield runtime
    runtime.close()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, runner: asyncio.Runner, runtime: Runtime) -> Place:
    return PLACES[request.param](runtime, runner)


def _make(runtime: Runtime, clock: ManualClock, **order: Any) -> Issued:
    new = NewKey(**{"name": "n", "scopes": ("notes:read", "notes:write"), **order})
    issued = drive(runtime.driven_side.keys.create(new, By(OPERATOR, clock.wall())))
    assert isinstance(issued, Issued), issued
    return issued


@pytest.mark.parametrize("field", ["x-api-key", "authorization"])
@pytest.mark.parametrize("end", ["revoke", "rotate", "expire"])
def test_an_ended_key_is_refused_from_the_next_request_on(
    place: Place, runtime: Runtime, clock: ManualClock, field: str, end: str
) -> None:
    issued = _make(runtime, clock, expires_in="1h")
    line = (field, f"Bearer {issued.text}" if field == "authorization" else issued.text)
    assert {place.call("GET", "/plain", [line]).status for _ in range(TIMES)} == {200}

    keys, by = runtime.driven_side.keys, By(OPERATOR, clock.wall())
    if end == "revoke":
        drive(keys.revoke(issued.record.id, by))
    elif end == "rotate":
        drive(keys.rotate(issued.record.id, by, 0))
    else:
        clock.advance(HOUR)

    answer = place.call("GET", "/plain", [line])
    assert (answer.status, answer.code) == (401, "credential_refused")


def test_a_quarantined_key_writes_no_more(place: Place, runtime: Runtime, clock: ManualClock) -> None:
    issued = _make(runtime, clock)
    line, kind = ("x-api-key", issued.text), ("content-type", "application/json")
    assert {place.call("POST", "/echo", [line, kind], b"{}").status for _ in range(TIMES)} == {200}

    drive(runtime.driven_side.keys.quarantine(issued.record.id, By(OPERATOR, clock.wall())))

    assert place.call("POST", "/echo", [line, kind], b"{}").status == 403
    assert place.call("GET", "/plain", [line]).status == 200


@pytest.mark.parametrize("uses", [1, 3])
def test_a_counted_key_is_counted_at_every_request(
    place: Place, runtime: Runtime, clock: ManualClock, uses: int
) -> None:
    line = ("x-api-key", _make(runtime, clock, uses=uses).text)

    statuses = [place.call("GET", "/plain", [line]).status for _ in range(uses + 2)]

    assert statuses == [200] * uses + [401] * 2


def test_the_limit_of_a_key_is_spent_at_every_request(place: Place, runtime: Runtime, clock: ManualClock) -> None:
    line = ("x-api-key", _make(runtime, clock, limits=(f"at most {TIMES} in 1h per key",)).text)

    statuses = [place.call("GET", "/plain", [line]).status for _ in range(TIMES + 2)]

    assert statuses == [200] * TIMES + [429] * 2


def test_a_key_bound_to_a_network_is_bound_at_every_request(place: Place, runtime: Runtime, clock: ManualClock) -> None:
    line = ("x-api-key", _make(runtime, clock, networks=("198.51.100.0/24",)).text)

    assert {place.call("GET", "/plain", [line]).status for _ in range(TIMES)} == {403}


def test_every_use_is_counted(place: Place, runtime: Runtime, clock: ManualClock) -> None:
    """Also those that are answered from memory."""
    issued = _make(runtime, clock)
    for _ in range(TIMES):
        place.call("GET", "/plain", [("x-api-key", issued.text)])
    for side in (runtime.driven_side, runtime.awaited_side):
        drive(side.api_keys.tend(clock.wall(), clock.monotonic()))

    shown = drive(runtime.driven_side.keys.show(issued.record.id, By(OPERATOR, clock.wall())))
    assert [secret.uses for secret in getattr(shown, "secrets", ())] == [TIMES]
