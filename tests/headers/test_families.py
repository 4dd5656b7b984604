"""The families of security headers."""

from __future__ import annotations

from typing import get_args

import pytest

from garrison.headers.families import (
    CLEAR_SITE_DATA,
    Profile,
    caching,
    content,
    isolation,
    permissions,
    referrer,
    transport,
)


def test_transport_says_how_long() -> None:
    """RFC 6797 section 6.1; preload only when asked for."""
    assert transport(0, subdomains=True, preload=True) == ()
    assert transport(60, subdomains=False, preload=False) == ((b"strict-transport-security", b"max-age=60"),)
    assert transport(60, subdomains=True, preload=True)[0][1] == b"max-age=60; includeSubDomains; preload"


@pytest.mark.parametrize("profile", get_args(Profile))
def test_every_profile_forbids_framing_sniffing_and_other_sites(profile: Profile) -> None:
    """The floor under all three."""
    lines = dict((*content(profile), *isolation(profile), *referrer(profile)))

    assert lines[b"x-content-type-options"] == b"nosniff"
    assert b"default-src 'none'" in lines[b"content-security-policy"]
    assert b"frame-ancestors 'none'" in lines[b"content-security-policy"]
    assert b"unsafe-eval" not in lines[b"content-security-policy"]
    assert lines[b"cross-origin-resource-policy"] == b"same-origin"


def test_pages_keep_their_referrer_on_their_own_origin() -> None:
    """With no-referrer a form of the page itself sends Origin null, and the cross-site check refuses it."""
    assert referrer("html") == ((b"referrer-policy", b"same-origin"),)
    assert referrer("api") == ((b"referrer-policy", b"no-referrer"),)


def test_pages_get_more_than_answers() -> None:
    """No browser renders JSON, so an API's answers stay small."""
    assert [name for name, _ in content("html")][-1] == b"x-frame-options"
    assert isolation("docs")[-1] == (b"cross-origin-opener-policy", b"same-origin")
    assert permissions("api") == ()
    assert b"camera=()" in permissions("html")[0][1]
    assert b"'unsafe-inline'" not in content("html")[1][1]


def test_the_rest_is_one_line_each() -> None:
    """Caches keep nothing of one caller; a logout empties the browser."""
    assert caching() == ((b"cache-control", b"no-store"),)
    assert CLEAR_SITE_DATA == (b"clear-site-data", b'"cache", "storage"')
    assert content("api", "sandbox")[1] == (b"content-security-policy", b"sandbox")
