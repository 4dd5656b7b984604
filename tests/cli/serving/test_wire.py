"""What a server cannot read: one problem, one event, and the end of the connection; nobody else's answer."""

from __future__ import annotations

import pytest

from garrison.cli.serving.wire import LONGEST
from tests.cli.serving.raw import Line

HOST = b"Host: localhost\r\n"
PLAIN = b"GET /plain HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /plain HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
CHUNKED = HOST + b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "a method that cannot be one": b"G(T /plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method of another version": b"BREW /plain HTTP/2.0\r\n" + HOST + b"\r\n",
    "a space in a name": b"GET /plain HTTP/1.1\r\n" + HOST + b"Bad Header: x\r\n\r\n",
    "a length below nothing": b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "two lengths": b"POST /echo HTTP/1.1\r\nContent-Length: 3\r\n" + CHUNKED + b"0\r\n\r\n",
    "a chunk without a size": b"POST /echo HTTP/1.1\r\n" + CHUNKED + b"zz\r\n\r\n",
    "another version": b"GET /plain HTTP/9.9\r\n" + HOST + b"\r\n",
    "the next version": b"GET /plain HTTP/2.0\r\n" + HOST + b"\r\n",
    "the first version": b"GET /plain HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "a target that is no path": b"GET plain HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_it_is_a_problem_like_every_other(line: Line, kind: str) -> None:
    """Callers read one form of answer, and whoever is called can find it in the journal."""
    (answer,) = line.say(BROKEN[kind])

    event = line.events()[-1]
    assert (answer.status, answer.json["code"]) == (400, "request_malformed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json["correlation"] == answer.headers["x-request-id"] == event.correlation
    assert (event.code, event.outcome, event.address) == ("input_validation_fail", "refused", "127.0.0.1")


@pytest.mark.parametrize("method", [b"BREW", b"get", b"X" * 64, b"M-SEARCH2"])
def test_an_unknown_method_is_not_implemented(line: Line, method: bytes) -> None:
    """RFC 9110 section 9.1; the request is sound, and its sender is told what would have to change."""
    brew = PLAIN.replace(b"GET", method)

    assert [answer.status for answer in line.say(brew)] == [501]
    first, second = line.say(PLAIN, brew)

    event = line.events()[-1]
    assert (first.status, second.status, second.json["code"]) == (200, 501, "method_unknown")
    assert second.headers["connection"] == "close"
    assert (event.code, event.reason, event.outcome) == ("input_validation_fail", "method_unknown", "refused")


def test_a_known_method_that_the_path_does_not_take_is_told_which_it_takes(line: Line) -> None:
    (answer,) = line.say(LAST.replace(b"GET", b"PROPFIND"))

    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_what_looks_like_an_unknown_method_inside_a_body_is_a_broken_body(line: Line) -> None:
    brew = b"BREW /plain HTTP/1.1\r\n"
    short = b"POST /echo HTTP/1.1\r\nContent-Length: 22\r\nContent-Type: text/plain\r\n" + HOST + b"\r\n"
    (chunk,) = line.say(b"POST /echo HTTP/1.1\r\n" + CHUNKED + brew)
    line.press(short, brew + b"\xff\xff")

    assert (chunk.status, chunk.json["code"]) == (400, "request_malformed")
    assert line.events()[-1].reason == "unreadable"


def test_a_broken_body_ends_the_wait_for_it(line: Line) -> None:
    """The application sees that its caller is gone, and what it says then is not sent."""
    (answer,) = line.say(b"POST /echo HTTP/1.1\r\n" + CHUNKED + b"1\r\na\r\nzz\r\n")

    assert answer.status == 400


def test_answers_that_are_due_go_out_first_and_alone(line: Line) -> None:
    """The problem would be taken for the answer to the request before (RFC 9112 section 9.3.2)."""
    answers = line.say(PLAIN * 2 + b"garbage\r\n\r\n")

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.headers.get("connection") for answer in answers] == [None, "close"]
    assert line.events()[-1].reason == "unreadable"


def test_after_an_answer_the_next_request_may_be_a_problem(line: Line) -> None:
    assert [answer.status for answer in line.say(PLAIN, b"garbage\r\n\r\n")] == [200, 400]


def test_an_answer_that_has_begun_is_broken_off(line: Line) -> None:
    """A head in the middle of a body would be read as part of it."""
    (answer,) = line.say(b"POST /early HTTP/1.1\r\n" + CHUNKED, b"zz\r\n")

    assert answer.body == b"{}"


@pytest.mark.parametrize("count", [1, 3])
def test_a_broken_body_behind_others_leaves_them_their_answers(line: Line, count: int) -> None:
    """Where several wait, the problem would be the first one's."""
    answers = line.say(PLAIN * count + b"POST /echo HTTP/1.1\r\n" + CHUNKED + b"zz\r\n")

    assert [answer.status for answer in answers] == [200] * count
    assert answers[-1].headers["connection"] == "close"
    assert line.reached == ["/plain"] * count


def test_an_upgrade_to_what_is_not_spoken_is_answered_and_is_the_last(line: Line) -> None:
    """Clients offer HTTP/2 that way; what they say behind it, the parser may have dropped."""
    (answer,) = line.say(b"GET /plain HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" + HOST + b"\r\n" + PLAIN)

    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert line.reached == ["/plain"]


def test_an_older_version_is_served(line: Line) -> None:
    (answer,) = line.say(PLAIN.replace(b"1.1", b"1.0"))

    assert answer.status == 200


@pytest.mark.parametrize(
    "target", [b"http://localhost/plain", b"HTTP://LOCALHOST/plain", b"http://localhost/plain?a=http://x/"]
)
def test_a_target_in_absolute_form_is_served(line: Line, target: bytes) -> None:
    """RFC 9112 section 3.2.2: servers take it, though clients send it to proxies alone."""
    (answer,) = line.say(LAST.replace(b"/plain", target))

    assert (answer.status, line.reached) == (200, ["/plain"])


@pytest.mark.parametrize("target", [b"http://localhost", b"http://localhost?a"])
def test_an_absolute_target_without_a_path_means_the_root(line: Line, target: bytes) -> None:
    (answer,) = line.say(LAST.replace(b"/plain", target))

    assert (answer.status, answer.json["policy"]) == (404, "The policy has no route for 'GET /'.")


def test_a_body_may_be_longer_than_a_head(line: Line) -> None:
    """What counts is what comes without an end in sight."""
    body = b"5\r\nabcde\r\n" * (LONGEST // 5)
    (answer,) = line.say(b"POST /echo HTTP/1.1\r\nConnection: close\r\n" + CHUNKED + body + b"0\r\n\r\n")

    assert answer.status == 200
