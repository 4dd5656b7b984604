"""A request that cannot be read carries a secret in its target; what is noted of it must not hold the secret."""

from __future__ import annotations

import pytest

from tests.cli.serving.raw import Line

SECRET = "correct-horse-battery"
TARGETS = [
    f"/plain?password={SECRET}",
    f"/plain?code={SECRET}&state=1",
    f"http://ada:{SECRET}@localhost/plain",
    f"http://evil.example/plain?{SECRET}",
    f"/{'a' * 200}?{SECRET}",
]
FAULTS = ["Bad Field: x", "Content-Length: -1", "Content-Length: 1\r\nTransfer-Encoding: chunked"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("target", TARGETS)
def test_the_journal_has_the_path_and_no_more(line: Line, target: str, fault: str) -> None:
    """A query is nobody's to keep: of requests that can be read, it is not kept either."""
    line.say(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{fault}\r\n\r\n".encode())

    (event,) = line.events()
    assert event.outcome == "refused"
    assert SECRET not in repr(event)
