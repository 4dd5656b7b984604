"""A head that never ends: one connection fills the memory, and what came so far is copied anew with every piece."""

from __future__ import annotations

import pytest

from garrison.cli.serving.wire import LONGEST
from tests.cli.serving.raw import Line

HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
ENDLESS = {
    "a target": (b"GET /", b"a"),
    "a value": (HEAD + b"X: ", b"a"),
    "a name": (HEAD, b"a"),
    "fields": (HEAD, b"a: b\r\n"),
    "empty lines": (b"", b"\r\n"),
    "a trailer": (CHUNKED + b"0\r\nX: ", b"a"),
    "a chunk's extension": (CHUNKED + b"1;", b"a"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_it_is_given_up(line: Line, kind: str) -> None:
    """The policy's caps cannot help: they are held once a head has ended."""
    begin, piece = ENDLESS[kind]

    line.say(begin + piece * (2 * LONGEST // len(piece)))

    assert [event.reason for event in line.events()] == ["endless"]


def test_who_listens_is_told(line: Line) -> None:
    (answer,) = line.say((HEAD + b"X: " + b"a" * LONGEST)[: LONGEST + 1])

    assert (answer.status, answer.json["code"]) == (431, "headers_too_large")


def test_a_head_below_the_bound_is_the_policy_s_to_judge(line: Line) -> None:
    """The bound is no second cap, with another answer."""
    (answer,) = line.say(HEAD + b"Connection: close\r\nX: " + b"a" * (LONGEST // 4) + b"\r\n\r\n")

    assert (answer.status, line.events()[-1].reason) == (431, "headers_too_large")
