"""A WebSocket handshake that is none: the library beneath answers it, unguarded, unrecorded, and in a form of its own.

Whoever tries a server out that way leaves no trace.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

SOUND = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
BAD = {
    "no key": SOUND.replace(KEY, b""),
    "two keys": SOUND.replace(KEY, KEY * 2),
    "a short key": SOUND.replace(b"dGhl", b""),
    "a key that is none": SOUND.replace(b"dGhl", b"d-hl"),
    "no version": SOUND.replace(VERSION, b""),
    "two versions": SOUND.replace(VERSION, VERSION * 2),
    "another version": SOUND.replace(b"13", b"99"),
    "another method": SOUND.replace(b"GET", b"POST"),
    "an older HTTP": SOUND.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "two protocols": SOUND.replace(b"Upgrade:", b"Upgrade: foo\r\nUpgrade:"),
}


@pytest.mark.parametrize("kind", BAD)
def test_it_is_refused_like_everything_else(line: Line, kind: str) -> None:
    """RFC 6455 section 4.2.1: what must be there, once, and how."""
    (answer,) = line.say(BAD[kind])

    assert (answer.status, answer.json["code"]) == (400, "request_malformed")
    assert (line.reached, line.events()[-1].reason) == ([], "handshake")


def test_a_sound_one_reaches_the_application(line: Line) -> None:
    """Else all of the above would be refused for asking."""
    line.say(SOUND)

    assert line.reached == ["/live"]
