"""Request smuggling: the body of a request that asks for another protocol is skipped, and read as the next request.

A proxy that does not know the protocol passes the request on with its body. What stands in the body was never judged
there, and its answer goes to whoever asks next over that connection.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

INNER = b"GET /plain?smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(INNER)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADES = {
    "unknown": b"Connection: upgrade\r\nUpgrade: foo\r\n",
    "HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
    "a socket": b"Connection: upgrade\r\nUpgrade: websocket\r\n",
}


@pytest.mark.parametrize("framing", [LENGTH, CHUNKED])
@pytest.mark.parametrize("kind", UPGRADES)
def test_a_body_is_never_the_next_request(line: Line, kind: str, framing: bytes) -> None:
    """RFC 9110 section 7.8: the request is answered first, body and all, and that is what the parser cannot do."""
    answers = line.say(HEAD + UPGRADES[kind] + framing, INNER)

    assert [answer.status for answer in answers] == [400]
    assert (line.reached, line.events()[-1].reason) == ([], "upgrade")


def test_a_tunnel_s_body_is_not_either(line: Line) -> None:
    """The parser takes every `CONNECT` for an upgrade, with a path as well."""
    assert [answer.status for answer in line.say(HEAD.replace(b"POST", b"CONNECT") + LENGTH, INNER)] == [400]


def test_an_upgrade_without_a_body_is_answered(line: Line) -> None:
    """Else all of the above would be refused for asking."""
    (answer,) = line.say(HEAD + UPGRADES["unknown"] + b"Content-Length: 0\r\n\r\n")

    assert answer.status == 200
