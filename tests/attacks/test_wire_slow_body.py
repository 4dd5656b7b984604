"""A body that drips is refused, and what is left of it keeps its connection: the refusal has won nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.adapters.world import at_work
from tests.cli.serving.raw import POLICY, Line

HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def line(runner: asyncio.Runner) -> Iterator[Line]:
    """A server that is in a hurry about bodies."""
    with at_work(POLICY + '[caps]\nbody_time = "100ms"\nbody_rate = "1GiB"\n') as runtime:
        yield Line(runner, runtime)


def test_its_connection_is_closed_with_the_refusal(line: Line) -> None:
    """Each further byte would start a server's own idle timer anew (RFC 9110 section 15.5.9)."""
    (answer,) = line.drip(HEAD, b"a")

    assert (answer.status, answer.json["code"]) == (408, "body_too_slow")
    assert answer.headers["connection"] == "close"
