"""The target names one host and `Host` another: what routes by one of them is deceived by the other.

A proxy that goes by the target passes the request on as one for its host; a server that goes by `Host` answers it
as one for another. The name that is served was checked, and was not the one that was asked for.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

OTHERS = [
    b"http://evil.example/plain",
    b"https://evil.example/plain",
    b"HTTP://EVIL.EXAMPLE/plain",
    b"http://localhost.evil.example/plain",
    b"http://localhost@evil.example/plain",
    b"http://evil.example@localhost/plain",
    b"http://localhost:80@evil.example/plain",
    b"http://localhost:8000/plain",
    b"http://evil.example?@localhost/plain",
    b"http://evil.example#@localhost/plain",
    b"http://evil.example\\@localhost/plain",
    b"http:///plain",
    b"http://%6cocalhost/plain",
    b"ftp://localhost/plain",
    b"localhost:80/plain",
    b"localhost/plain",
]
SOCKET = (
    b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def ask(line: Line, target: bytes, fields: bytes = b"Host: localhost\r\n") -> int:
    """Ask for a target, and give the status."""
    return line.say(b"GET " + target + b" HTTP/1.1\r\nConnection: close\r\n" + fields + b"\r\n")[0].status


@pytest.mark.parametrize("target", OTHERS)
def test_a_target_of_another_host_is_refused(line: Line, target: bytes) -> None:
    """RFC 9112 section 3.2.2: the target's authority counts, and `Host` must say the same."""
    assert ask(line, target) == 400
    assert line.reached == []


@pytest.mark.parametrize("fields", [b"", b"Host: evil.example\r\n", b"Host: localhost\r\nHost: evil.example\r\n"])
def test_a_served_target_does_not_mend_the_host(line: Line, fields: bytes) -> None:
    """Nor does it stand in for a `Host` that is missing: the guard judges the field, and applications read it."""
    assert ask(line, b"http://localhost/plain", fields) == 400
    assert line.reached == []


def test_a_host_that_is_not_served_is_not_served_in_either_place(line: Line) -> None:
    assert ask(line, b"http://evil.example/plain", b"Host: evil.example\r\n") == 421


def test_a_socket_is_asked_for_no_other_way(line: Line) -> None:
    """A handshake is read by another parser, so it is judged before it is handed over."""
    said = b"GET http://evil.example/live HTTP/1.1\r\nHost: localhost\r\n" + SOCKET + b"\r\n"

    assert [answer.status for answer in line.say(said)] == [400]


def test_a_target_of_the_served_host_is_served(line: Line) -> None:
    """Else all of the above would be refused for being absolute."""
    assert ask(line, b"http://localhost/plain") == 200
