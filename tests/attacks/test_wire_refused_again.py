"""One bad request, sent byte by byte, is refused with every byte: the journal fills with what one caller sent once.

A journal that an attacker can fill hides what else he does.
"""

from __future__ import annotations

from tests.cli.serving.raw import Line

HELD = b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_what_comes_after_a_refusal_is_not_read(line: Line) -> None:
    answers = line.press(HELD, *[b"\x00"] * 50)

    assert [answer.status for answer in answers] == [200]
    assert [event.reason for event in line.events()].count("unreadable") == 1
