"""Any page acts as the user: every origin, or one that anybody can become, with credentials."""

from __future__ import annotations

import pytest

from garrison.cors import CorsMiddleware, CorsPolicy, LiveCors, compile_cors
from garrison.errors import PolicyError

APP = "https://app.example.com"
EVIL = b"https://evil.example"


@pytest.mark.parametrize(
    "origins",
    [
        ("*",),
        (APP, "*"),
        ("https://*",),
        ("https://*:*",),
        ("*://app.example.com",),
        ("https://*.com",),
        ("https://*.co.uk",),
        ("https://*.github.io",),
        ("https://*.s3.amazonaws.com",),
        ("https://*.amazonaws.com",),
        ("http://app.example.com",),
        ("http://*.example.com",),
        ("null",),
    ],
)
def test_cannot_be_configured(origins: tuple[str, ...]) -> None:
    """By no spelling, in no place: not at start, not by a live update, not through the wrapper."""
    policy = CorsPolicy(origins=origins, credentials=True)
    live = LiveCors(CorsPolicy(origins=(APP,), credentials=True))

    with pytest.raises(PolicyError):
        compile_cors(policy)
    with pytest.raises(PolicyError):
        live.replace(policy)
    with pytest.raises(PolicyError):
        CorsMiddleware(None, policy)  # type: ignore[arg-type]  # it must fail before it has an application
    assert not live.current.allows(EVIL)


@pytest.mark.parametrize(
    "origin", ["https://*.com", "https://*.co.uk", "https://*.github.io", "https://*.amazonaws.com"]
)
def test_nobody_registers_into_the_list_without_credentials_either(origin: str) -> None:
    """The list lets pages open WebSockets and write across sites; there a browser asks for no CORS answer."""
    with pytest.raises(PolicyError, match="GP115"):
        compile_cors(CorsPolicy(origins=(origin,)))


def test_a_cookie_does_not_turn_a_star_into_an_echo() -> None:
    """Public data stays readable without credentials only."""
    cors = compile_cors(CorsPolicy(origins=("*",)))

    assert cors.grant(EVIL) == ((b"access-control-allow-origin", b"*"),)
    assert not cors.trusts(EVIL)


def test_a_string_is_not_searched_for_substrings() -> None:
    """`"https://app.example" in "https://app.example.com"` once granted that origin, and `h` as well."""
    with pytest.raises(PolicyError, match="GP102"):
        compile_cors(CorsPolicy(origins=APP))  # type: ignore[arg-type]  # the mistake under test
