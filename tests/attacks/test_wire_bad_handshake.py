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


LARGE = {
    "many fields": (SOUND.replace(KEY, KEY + b"X-A: b\r\n" * 300), 431, "headers_too_large"),
    "one field more": (SOUND.replace(KEY, KEY + b"X-A: b\r\n" * 124), 431, "headers_too_large"),
    "a long field": (SOUND.replace(KEY, KEY + b"X-A: " + b"b" * 8186 + b"\r\n"), 431, "headers_too_large"),
    "a long target": (SOUND.replace(b"/live", b"/live?" + b"a" * 8172), 414, "target_too_long"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_one_that_is_too_large_is_answered(line: Line, kind: str) -> None:
    """The library beneath closes the connection without a word, and nothing is recorded."""
    sent, status, code = LARGE[kind]
    (answer,) = line.say(sent)

    assert (answer.status, answer.json["code"]) == (status, code)
    assert (line.reached, line.events()[-1].outcome) == ([], "refused")


@pytest.mark.parametrize(
    "more",
    [
        SOUND.replace(KEY, KEY + b"X-A: b\r\n" * 123),
        SOUND.replace(KEY, KEY + b"X-A: " + b"b" * 8185 + b"\r\n"),
        SOUND.replace(b"/live", b"/live?" + b"a" * 8171),
    ],
    ids=["fields", "field", "target"],
)
def test_as_much_as_the_library_takes_is_judged_by_the_guard(line: Line, more: bytes) -> None:
    """The bound from the other side: its answer comes from what stands behind the library."""
    (answer,) = line.say(more)

    assert answer.status in {403, 414, 431}
    assert line.events() == [] or line.events()[-1].reason != "handshake"


def test_a_sound_one_reaches_the_application(line: Line) -> None:
    """Else all of the above would be refused for asking."""
    line.say(SOUND)

    assert line.reached == ["/live"]
