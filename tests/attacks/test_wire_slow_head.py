"""A connection on which no request ever comes: a byte now and then holds a place, and a few thousand hold the server.

Slowloris. A server's own idle timer runs only while nothing comes at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.adapters.world import at_work
from tests.cli.serving.raw import POLICY, Line

HEAD = b"GET /plain HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def line(runner: asyncio.Runner) -> Iterator[Line]:
    """A server that is in a hurry about heads, and not about bodies."""
    with at_work(POLICY + '[caps]\nhead_time = "400ms"\nbody_time = "1m"\n') as runtime:
        yield Line(runner, runtime)


@pytest.mark.parametrize("slow", [(b"",), (b"\r\n",)], ids=["nothing", "line ends"])
def test_a_connection_that_says_nothing_is_closed(line: Line, slow: tuple[bytes, ...]) -> None:
    """Without an answer: there is no request, and nothing to record."""
    assert line.drip(*slow) == []
    assert line.events() == []


@pytest.mark.parametrize("slow", [(b"G", b""), (HEAD, b"X-A: b\r\n"), (HEAD, b"X"), (b"POST /echo HTTP/1.1\r\n", b"a")])
def test_a_head_that_drips_is_broken_off(line: Line, slow: tuple[bytes, ...]) -> None:
    """However often something comes."""
    (answer,) = line.drip(*slow)

    assert (answer.status, answer.json["code"]) == (408, "head_too_slow")
    assert answer.headers["connection"] == "close"
    assert line.events()[-1].reason == "deadline"
    assert line.reached == []


def test_nor_does_a_good_request_earn_the_next_one_more_time(line: Line) -> None:
    answers = line.drip(HEAD + b"\r\n", HEAD, b"X-A: b\r\n")

    assert [answer.status for answer in answers] == [200, 408]


@pytest.mark.parametrize("drop", [b"\r\n", b""])
def test_nor_may_it_be_kept_open_by_line_ends(line: Line, drop: bytes) -> None:
    """They restart the idle timer of many a server."""
    (answer,) = line.drip(HEAD + b"\r\n", drop)

    assert answer.status == 200


def test_a_body_has_a_time_of_its_own(line: Line) -> None:
    """Whoever is slow to send one is judged by `body_time` and the pace."""
    body = [b"1\r\na\r\n"] * 15 + [b"0\r\n\r\n"]
    chunked = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"

    answers = line.drip(chunked + b"Connection: close\r\n\r\n", *body)

    assert [answer.status for answer in answers] == [200]
