"""Garbage behind a request: its refusal comes first, and is taken for the answer to that request.

Whoever can append to what another sends, over a connection that a proxy shares, has the other's answer replaced,
and hands the real one to whoever asks next.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

PLAIN = b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
GARBAGE = [
    b"garbage\r\n\r\n",
    b"FOO /plain HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://evil.example/plain HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /plain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"\x00",
]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_every_request_has_its_own_answer_and_garbage_has_none(line: Line, garbage: bytes, count: int) -> None:
    """RFC 9112 section 9.3.2: answers come in the order of the requests."""
    answers = line.say(PLAIN * count + garbage)

    assert [answer.status for answer in answers] == [200] * count
    assert answers[-1].headers["connection"] == "close"


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_stands_behind_garbage_is_never_served(line: Line, garbage: bytes) -> None:
    """Where it begins is anybody's guess: it may be the rest of what was garbled."""
    line.say(PLAIN + garbage + b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")

    assert line.reached == ["/plain"]


def test_garbage_in_the_rest_of_a_refused_body_gets_no_answer_of_its_own(line: Line) -> None:
    """The request was answered; a second answer would be the next one's."""
    head = b"POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert [answer.status for answer in line.say(head, b"zz\r\n")] == [404]
