"""An origin was removed, but its page still holds a preflight that the browser keeps for hours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from garrison.cors import CorsPolicy, LiveCors
from tests.cors.ends import App, Call, asgi, handshake, wsgi

APP, PARTNER, API = "https://app.example.com", "https://partner.example", "https://api.example.com"
BEFORE = CorsPolicy(origins=(APP, PARTNER), methods=("DELETE",), credentials=True)
AFTER = CorsPolicy(origins=(APP,), methods=("DELETE",), credentials=True)
ASKS = ("Access-Control-Request-Method", "DELETE")
COOKIE, FROM_PARTNER = ("Cookie", "session=1"), ("Origin", PARTNER)


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
def test_its_writes_stop_at_once(over: Callable[..., Call]) -> None:
    """CORS alone would let them through: the browser asks no more, it sends."""
    live, app = LiveCors(BEFORE), App()
    call = over(app, live, served=(API,))
    assert call("OPTIONS", [FROM_PARTNER, ASKS]).status == 204
    assert call("DELETE", [FROM_PARTNER, COOKIE]).status == 200

    assert live.replace(AFTER).lost == (PARTNER,)

    assert call("DELETE", [FROM_PARTNER, COOKIE]).status == 403
    assert call("OPTIONS", [FROM_PARTNER, ASKS]).status == 403
    assert call("GET", [FROM_PARTNER, COOKIE]).all("access-control-allow-origin") == []
    assert app.calls == 2


def test_its_sockets_stop_at_once() -> None:
    """No preflight there at all."""
    live = LiveCors(BEFORE)
    assert handshake(App(), [FROM_PARTNER, COOKIE], live) == ["websocket.accept"]

    live.replace(AFTER)

    assert handshake(App(), [FROM_PARTNER, COOKIE], live) == ["websocket.close"]


def test_what_was_remembered_for_it_is_gone() -> None:
    """A grant remembered by the old policy must not answer for the new one."""
    live = LiveCors(BEFORE)
    live.current.grant(PARTNER.encode())
    live.current.preflight(PARTNER.encode(), b"DELETE")

    live.replace(AFTER)

    assert live.current.grant(PARTNER.encode()) == ((b"vary", b"Origin"),)
    assert live.current.preflight(PARTNER.encode(), b"DELETE").status == 403


def test_and_a_gained_one_is_not_held_back() -> None:
    """From the other side: a remembered refusal must not answer for the new policy either."""
    live = LiveCors(AFTER)
    live.current.grant(PARTNER.encode())

    assert live.replace(BEFORE).gained == (PARTNER,)

    assert live.current.grant(PARTNER.encode())[0] == (b"access-control-allow-origin", PARTNER.encode())
