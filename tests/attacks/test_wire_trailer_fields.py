"""Fields sent behind the body join those before it, after the guard has judged them: a forged address or identity.

RFC 9110 section 6.5.1: a recipient must not merge what it does not know to be safe there.
"""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

HEAD = (
    b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nTrailer: {}\r\nTransfer-Encoding: chunked\r\n\r\n"
)
FIELDS = [b"host", b"authorization", b"x-api-key", b"x-forwarded-for", b"forwarded", b"remote-user"]


@pytest.mark.parametrize("field", FIELDS)
def test_the_application_does_not_see_them(line: Line, field: bytes) -> None:
    (answer,) = line.say(HEAD.replace(b"{}", field) + b"2\r\nhi\r\n0\r\n" + field.title() + b": 1\r\n\r\n")

    assert answer.status == 200
    assert set(answer.json) == {"host", "connection", "content-type", "trailer", "transfer-encoding"}


def test_they_are_not_the_next_request_s_either(line: Line) -> None:
    first = HEAD.replace(b"Connection: close\r\n", b"") + b"0\r\nX-Forged: 1\r\n\r\n"
    _, second = line.say(first + b"GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert set(second.json) == {"host", "connection"}
