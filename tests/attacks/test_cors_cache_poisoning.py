"""A shared cache gives one page's answer to another: an answer that depends on Origin without saying so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from garrison.cors import CorsPolicy
from tests.cors.ends import App, Call, asgi, wsgi

APP, EVIL = "https://app.example.com", "https://evil.example"
POLICY = CorsPolicy(origins=(APP,), methods=("PUT",), credentials=True)
ASKS = ("Access-Control-Request-Method", "PUT")


class Cache:
    """A shared cache after RFC 9111 section 4.1: one entry per value of what `Vary` names."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.kept: list[tuple[str | None, list[str], list[str]]] = []

    def get(self, origin: str | None) -> list[str]:
        for stored, vary, granted in self.kept:
            if "*" not in vary and ("origin" not in vary or stored == origin):
                return granted
        got = self.call("GET", [("Origin", origin)] if origin else [])
        vary = [member.strip().lower() for line in got.all("vary") for member in line.split(",")]
        self.kept.append((origin, vary, got.all("access-control-allow-origin")))
        return self.kept[-1][2]


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("first", [EVIL, None, APP])
@pytest.mark.parametrize("own", [[], [("vary", "Accept-Encoding")], [("Vary", "origin")]])
def test_who_asks_first_decides_for_nobody_else(
    over: Callable[..., Call], first: str | None, own: list[tuple[str, str]]
) -> None:
    """Neither is the page locked out by a stored refusal, nor does a foreign page read a stored grant."""
    cache = Cache(over(App(own), POLICY))

    cache.get(first)

    assert cache.get(APP) == [APP]
    assert cache.get(EVIL) == []
    assert cache.get(None) == []


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
def test_public_data_is_stored_once(over: Callable[..., Call]) -> None:
    """From the other side: varying for nothing would fill the cache with copies."""
    cache = Cache(over(App(), CorsPolicy(origins=("*",))))

    assert [cache.get(origin) for origin in (None, APP, EVIL)] == [["*"]] * 3
    assert len(cache.kept) == 1


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
def test_a_preflight_says_everything_it_depends_on(over: Callable[..., Call]) -> None:
    """Some intermediaries store answers to OPTIONS although they should not."""
    call = over(App(), POLICY)
    wanted = ["Origin, Access-Control-Request-Method, Access-Control-Request-Headers"]

    for origin in (APP, EVIL):
        assert call("OPTIONS", [("Origin", origin), ASKS]).all("vary") == wanted


@pytest.mark.parametrize("over", [asgi, wsgi], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("origin", [APP, EVIL])
def test_a_handler_cannot_open_what_the_policy_closes(over: Callable[..., Call], origin: str) -> None:
    """Its own `*` would be stored and served to everybody; the policy is the single truth."""
    own = [("Access-Control-Allow-Origin", "*"), ("access-control-allow-credentials", "true")]

    got = over(App(own), POLICY)("GET", [("Origin", origin)])

    assert got.all("access-control-allow-origin") == ([APP] if origin == APP else [])
    assert got.all("access-control-allow-credentials") == (["true"] if origin == APP else [])
