"""Methods and field names that a policy may list, as Fetch divides them.

Sources: Fetch standard, "forbidden method", "forbidden request-header", "forbidden response-header name",
"CORS-safelisted method"; RFC 9110 section 5.6.2 for tokens.
"""

from __future__ import annotations

import re

from garrison.cors.origin import Mistake

__all__ = ["FORBIDDEN_METHODS", "SAFELISTED_METHODS", "is_token", "wrong_expose", "wrong_header", "wrong_method"]

SAFELISTED_METHODS = frozenset((b"GET", b"HEAD", b"POST"))
"""Methods that no preflight answer has to name: a browser does not look for them there."""

FORBIDDEN_METHODS = frozenset((b"CONNECT", b"TRACE", b"TRACK"))
"""Methods that no script can send."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_USUAL_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"))

_FORBIDDEN_HEADERS = frozenset(
    "accept-charset accept-encoding access-control-request-headers access-control-request-method"
    " access-control-request-private-network connection content-length cookie cookie2 date dnt expect host"
    " keep-alive origin referer set-cookie set-cookie2 te trailer transfer-encoding upgrade via".split()
)
"""Request fields that no script can set, so no page can ask for them."""

_RESPONSE_HEADERS = frozenset(
    "accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-methods"
    " access-control-allow-origin access-control-allow-private-network access-control-expose-headers"
    " access-control-max-age age allow clear-site-data content-security-policy etag expires last-modified location"
    " proxy-authenticate ratelimit ratelimit-policy retry-after server strict-transport-security vary"
    " www-authenticate x-content-type-options x-frame-options".split()
)
_REQUEST_HEADERS = frozenset(
    "accept accept-charset accept-encoding accept-language access-control-request-headers"
    " access-control-request-method authorization cookie dnt expect from host if-match if-modified-since"
    " if-none-match if-range if-unmodified-since max-forwards origin proxy-authorization range referer te"
    " upgrade-insecure-requests user-agent".split()
)


def is_token(value: bytes) -> bool:
    """Tell whether the bytes are one token (RFC 9110 section 5.6.2)."""
    return _TOKEN.fullmatch(value) is not None


def wrong_method(name: str) -> Mistake | None:
    """Say what is wrong with an entry of `methods`; None: nothing, or `*`."""
    if not _is_name(name):
        return Mistake("GP116", f"{name[:40]!r} is not one method", "Write one method per entry")
    if name.upper().encode("ascii") in FORBIDDEN_METHODS:
        return Mistake("GP116", f"no page may send {name.upper()}", "Remove it")
    if name != name.upper() and name.upper() in _USUAL_METHODS:
        return Mistake("GP116", f"methods are case-sensitive, and {name!r} is another one", f"Write {name.upper()}")
    return None


def wrong_header(name: str) -> Mistake | None:
    """Say what is wrong with an entry of `headers`, the request fields; None: nothing, or `*`."""
    lower = name.lower()
    if not _is_name(name):
        return Mistake("GP117", f"{name[:40]!r} is not one field name", "Write one field name per entry")
    if lower in _RESPONSE_HEADERS:
        remedy = "Remove it; what pages may read goes into expose"
        return Mistake("GP117", f"{name} is a field of answers, and headers lists those of requests", remedy)
    if lower in _FORBIDDEN_HEADERS or lower.startswith(("proxy-", "sec-")):
        return Mistake("GP117", f"no page may set {name}", "Remove it")
    return None


def wrong_expose(name: str) -> Mistake | None:
    """Say what is wrong with an entry of `expose`, the answer's fields; None: nothing, or `*`."""
    lower = name.lower()
    if not _is_name(name):
        return Mistake("GP118", f"{name[:40]!r} is not one field name", "Write one field name per entry")
    if lower in {"set-cookie", "set-cookie2"}:
        return Mistake("GP118", f"no page can read {name}", "Remove it")
    if lower in _REQUEST_HEADERS or lower.startswith(("access-control-", "sec-")):
        return Mistake("GP118", f"{name} is not a field of answers that a page could read", "Remove it")
    return None


def _is_name(name: str) -> bool:
    return name.isascii() and is_token(name.encode("ascii"))
