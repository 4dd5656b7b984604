"""Who may write across sites: the check that stands where authority is ambient.

A cookie, a client certificate, Basic credentials or an address travel with every request a browser makes, whoever
asked for it. CORS does not stop such a request, and a page whose origin was just removed still sends it from its
cached preflight. So the origin must prove itself, against origins that were configured: never against Host, which
a rebound DNS name makes equal to the attacker's page.

Sources: Fetch Metadata Request Headers; OWASP CSRF Prevention; RFC 6455 section 10.2 (WebSocket).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.cors.origin import Mistake
from garrison.cors.pattern import ANY, Matcher, read
from garrison.errors import PolicyError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.cors.answer import Cors

__all__ = ["SAFE", "Served", "compile_served", "cross_site_write", "foreign_handshake", "is_ambient"]

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that change nothing (RFC 9110 section 9.2.1); a handler that writes on GET has no defence here."""

_OWN_SITES = frozenset((b"same-origin", b"none"))
"""`none`: the user did it, not a page. `same-site` is no proof: a neighbouring host may be taken over."""

Served = Matcher
"""The origins of the service itself."""


def compile_served(origins: Sequence[str], path: str = "served") -> Served:
    """Compile the origins under which browsers know this service.

    Args:
        origins: `https://api.example.com`; in development also `http://localhost:*`.
        path: Where they are written, for the problems.

    Raises:
        PolicyError: An entry is no origin; `*` is none either.
    """
    problems, patterns = [], []
    for at, text in enumerate(origins):
        entry = read(text)
        if isinstance(entry, Mistake):
            problems.append(Problem(entry.rule, f"{path}[{at}]", 0, entry.text, entry.remedy))
        elif entry is ANY:
            problems.append(Problem("GP103", f"{path}[{at}]", 0, "not every origin is this service", "List them"))
        else:
            patterns.append(entry)
    if problems:
        raise PolicyError(problems)
    return Matcher(patterns)


def cross_site_write(
    method: str, origin: bytes | None, site: bytes | None, served: Served, cors: Cors | None = None
) -> str:
    """Judge a request whose authority is ambient; ask nothing of one that carries a token of its own.

    Args:
        method: As sent.
        origin: The Origin field, several lines joined by commas; None: there is none.
        site: The Sec-Fetch-Site field, likewise.
        served: The origins of this service.
        cors: The route's policy; its origins may write if it allows them credentials.

    Returns:
        Why it is refused, for the journal; empty: it may go on.
    """
    if method in SAFE:
        return ""
    if origin is not None:
        if served.matches(origin) or (cors is not None and cors.trusts(origin)):
            return ""
        return "origin_null" if origin == b"null" else "origin_untrusted"
    if site is None:
        # Browsers send at least one of the two with every write; who sends neither proves nothing.
        return "no_evidence"
    return "" if site in _OWN_SITES else "site_untrusted"


def foreign_handshake(origin: bytes | None, served: Served, cors: Cors | None = None, *, ambient: bool) -> str:
    """Judge a WebSocket handshake, which browsers send anywhere, with cookies, and without any preflight.

    Args:
        origin: The Origin field, several lines joined by commas; None: no browser sent it.
        served: The origins of this service.
        cors: The route's policy.
        ambient: Whether the handshake's authority is ambient; then the origin needs credentials in the policy.

    Returns:
        Why it is refused, for the journal; empty: it may go on.
    """
    if origin is None:
        return "no_evidence" if ambient else ""
    if served.matches(origin) or (cors is not None and (cors.trusts(origin) if ambient else cors.allows(origin))):
        return ""
    return "origin_null" if origin == b"null" else "origin_untrusted"


def is_ambient(cookie: bytes | None, authorization: bytes | None) -> bool:
    """Tell whether a browser may have added the request's authority by itself: a cookie, Basic or Digest."""
    if cookie is not None:
        return True
    return authorization is not None and not authorization[:7].lower().startswith((b"bearer ", b"dpop "))
