"""An upgrade behind a request that waits: its answer overtakes, or the one that is due is written into a WebSocket.

Whoever can append to what another sends, over a connection that a proxy shares, has the other's answer replaced, or
reads it as messages.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

PLAIN = b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
HELD = b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOCKET = (
    b"GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
UPGRADES = [
    SOCKET.replace(b"{}", b"/live"),
    SOCKET.replace(b"{}", b"/nowhere"),
    SOCKET.replace(b"{}", b"/plain").replace(b"websocket", b"foo"),
]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("upgrade", UPGRADES)
def test_it_is_refused_and_what_is_due_is_answered(line: Line, upgrade: bytes, count: int) -> None:
    """RFC 9112 section 9.3.2: answers come in the order of the requests."""
    answers = line.press(HELD + PLAIN * (count - 1) + upgrade)

    assert [answer.status for answer in answers] == [200] * count
    assert answers[-1].headers["connection"] == "close"
    assert "upgrade" in {event.reason for event in line.events()}


def test_in_its_turn_it_is_taken(line: Line) -> None:
    """Else all of the above would be refused for asking."""
    line.say(PLAIN, UPGRADES[0])

    assert line.reached == ["/plain", "/live"]
