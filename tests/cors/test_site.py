"""The cross-site check: configured origins decide, Host never, and no evidence means refuse."""

from __future__ import annotations

import pytest

from garrison.cors import CorsPolicy, compile_cors, compile_served, cross_site_write, foreign_handshake, is_ambient
from garrison.errors import PolicyError

API, APP, PUBLIC = b"https://api.example.com", b"https://app.example.com", b"https://reader.example.net"
SERVED = compile_served((API.decode(), "http://localhost:*"))
TRUSTING = compile_cors(CorsPolicy(origins=(APP.decode(),), credentials=True))
READING = compile_cors(CorsPolicy(origins=(PUBLIC.decode(),)))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY", "post", "get", ""])
@pytest.mark.parametrize(
    ("origin", "site", "reason"),
    [
        (API, None, ""),
        (API, b"cross-site", ""),
        (b"http://localhost:3000", None, ""),
        (APP, b"cross-site", ""),
        (PUBLIC, b"cross-site", "origin_untrusted"),
        (b"https://evil.example", None, "origin_untrusted"),
        (b"https://evil.example", b"same-origin", "origin_untrusted"),
        (b"https://sub.api.example.com", b"same-site", "origin_untrusted"),
        (b"null", b"same-origin", "origin_null"),
        (API + b", " + API, None, "origin_untrusted"),
        (b"", None, "origin_untrusted"),
        (None, b"same-origin", ""),
        (None, b"none", ""),
        (None, b"same-site", "site_untrusted"),
        (None, b"cross-site", "site_untrusted"),
        (None, b"same-origin, cross-site", "site_untrusted"),
        (None, b"", "site_untrusted"),
        (None, None, "no_evidence"),
    ],
)
def test_judges_a_write(method: str, origin: bytes | None, site: bytes | None, reason: str) -> None:
    """Whatever is not known to be safe is a write; a neighbour's host is no proof."""
    assert cross_site_write(method, origin, site, SERVED, TRUSTING) == reason


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_not_its_business(method: str) -> None:
    """Otherwise a link from anywhere would be refused."""
    assert cross_site_write(method, b"https://evil.example", b"cross-site", SERVED, TRUSTING) == ""


def test_an_origin_that_may_read_may_not_write() -> None:
    """Without credentials in the policy nobody was promised that writes are wanted."""
    assert cross_site_write("POST", PUBLIC, None, SERVED, READING) == "origin_untrusted"
    assert cross_site_write("POST", APP, None, SERVED) == "origin_untrusted"


@pytest.mark.parametrize(
    ("origin", "ambient", "reason"),
    [
        (API, True, ""),
        (APP, True, ""),
        (None, False, ""),
        (None, True, "no_evidence"),
        (b"null", True, "origin_null"),
        (b"https://evil.example", True, "origin_untrusted"),
        (b"https://evil.example", False, "origin_untrusted"),
    ],
)
def test_judges_a_handshake(origin: bytes | None, ambient: bool, reason: str) -> None:
    """A browser opens a WebSocket anywhere, with cookies, and asks nobody."""
    assert foreign_handshake(origin, SERVED, TRUSTING, ambient=ambient) == reason


def test_a_handshake_without_ambient_authority_needs_only_to_be_listed() -> None:
    """Its token is its proof; the list still keeps foreign pages out."""
    assert foreign_handshake(PUBLIC, SERVED, READING, ambient=False) == ""
    assert foreign_handshake(PUBLIC, SERVED, READING, ambient=True) == "origin_untrusted"
    assert foreign_handshake(PUBLIC, SERVED, ambient=False) == "origin_untrusted"


@pytest.mark.parametrize(
    ("cookie", "authorization", "ambient"),
    [
        (None, None, False),
        (b"", None, True),
        (b"a=b", b"Bearer x", True),
        (None, b"Bearer x", False),
        (None, b"bearer x", False),
        (None, b"DPoP x", False),
        (None, b"Basic eA==", True),
        (None, b"Digest x", True),
        (None, b"Negotiate x", True),
        (None, b"Bearer", True),
        (None, b"", True),
    ],
)
def test_knows_what_a_browser_adds_by_itself(cookie: bytes | None, authorization: bytes | None, ambient: bool) -> None:
    """An unknown scheme may be one that the browser remembers."""
    assert is_ambient(cookie, authorization) is ambient


def test_the_served_origins_are_checked_too() -> None:
    """Every mistake at once; `*` would make every page this service."""
    with pytest.raises(PolicyError) as caught:
        compile_served(("*", "https://api.example.com/", API.decode()), "service.origins")

    assert [(p.rule, p.path) for p in caught.value.problems] == [
        ("GP103", "service.origins[0]"),
        ("GP106", "service.origins[1]"),
    ]
