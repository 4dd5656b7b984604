"""A foreign page has the browser write with the user's cookie, or opens a socket with it (CSRF, CSWSH)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from garrison.cors import CorsPolicy
from tests.cors.ends import App, Call, asgi, handshake, wsgi

API, APP = "https://api.example.com", "https://app.example.com"
POLICY = CorsPolicy(origins=(APP,), methods=("PUT",), credentials=True)
COOKIE = ("Cookie", "session=1")
FORM = ("Content-Type", "application/x-www-form-urlencoded")

FOREIGN: list[list[tuple[str, str]]] = [
    [("Origin", "https://evil.example")],
    [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
    [("Origin", "https://sub.api.example.com"), ("Sec-Fetch-Site", "same-site")],
    [("Origin", "https://api.example.com.evil.example")],
    [("Origin", "http://api.example.com")],
    [("Origin", "https://api.example.com:8443")],
    [("Origin", "null")],
    [("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
    [("Origin", "")],
    [("Origin", API), ("Origin", "https://evil.example")],
    [("Origin", "https://evil.example"), ("Origin", API)],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "Same-Origin")],
    [("Referer", f"{API}/form")],
    [],
]


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("evidence", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_write_reaches_no_handler(over: Callable[..., Call], method: str, evidence: list[tuple[str, str]]) -> None:
    """Forged, stripped, doubled or missing: what does not prove its origin does not write."""
    app = App()

    got = over(app, POLICY, served=(API,))(method, [COOKIE, FORM, *evidence])

    assert got.status == 403
    assert app.calls == 0


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("host", ["evil.example", "api.example.com", "localhost"])
def test_host_is_no_evidence(over: Callable[..., Call], host: str) -> None:
    """A rebound DNS name makes Host and Origin equal, both of them the attacker's."""
    rebound = [COOKIE, ("Host", host), ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")]

    assert over(App(), POLICY, served=(API,))("POST", rebound).status == 403


@pytest.mark.parametrize("evidence", FOREIGN)
def test_the_socket_is_not_opened(evidence: list[tuple[str, str]]) -> None:
    """Sec-Fetch-Site counts for nothing here: every browser sends Origin with a handshake."""
    assert handshake(App(), [COOKIE, *evidence], POLICY, served=(API,)) == ["websocket.close"]


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("evidence", [[("Origin", API)], [("Origin", APP)], [("Sec-Fetch-Site", "same-origin")]])
def test_the_own_page_writes(over: Callable[..., Call], evidence: list[tuple[str, str]]) -> None:
    """From the other side: refusing these is the commonest complaint about such checks."""
    assert over(App(), POLICY, served=(API,))("POST", [COOKIE, *evidence]).status == 200
