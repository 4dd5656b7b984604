"""Security header fields, one function per family; each gives the lines of one profile.

Sources: the OWASP Secure Headers Project; Fetch standard (`Cross-Origin-Resource-Policy`); HTML standard
(`Cross-Origin-Opener-Policy`); CSP Level 3; RFC 6797 (HSTS); RFC 9111 (caching).

Left out on purpose: `X-XSS-Protection` and `Expect-CT` (dead, the first one harmful), `Cross-Origin-Embedder-Policy`
(breaks pages that embed others', and an API needs it never), `preload` unless asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from garrison.model.http.request import Header

__all__ = [
    "CLEAR_SITE_DATA",
    "Profile",
    "caching",
    "content",
    "isolation",
    "permissions",
    "referrer",
    "transport",
]

Profile = Literal["api", "html", "docs"]
"""`api`: answers that no browser renders; `html`: pages; `docs`: Swagger UI and ReDoc from their usual places."""

CLEAR_SITE_DATA: Header = (b"clear-site-data", b'"cache", "storage"')
"""For the answer to a logout, and for no other: it empties what the browser keeps of this origin.

Without `"cookies"`, which would also empty those of every other host of the same domain.
"""

_POLICIES: dict[str, str] = {
    "api": "default-src 'none'; frame-ancestors 'none'",
    "html": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    # Swagger UI writes its start-up script into the page, with the API's title in it: no hash fits them all.
    "docs": (
        "default-src 'none'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net;"
        " style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com;"
        " img-src 'self' data: https://fastapi.tiangolo.com https://cdn.redoc.ly;"
        " font-src 'self' https://cdn.jsdelivr.net https://fonts.gstatic.com; connect-src 'self'; worker-src blob:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

_UNUSED_POWERS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(),"
    " microphone=(), midi=(), payment=(), serial=(), usb=()"
)


def content(profile: Profile, policy: str = "") -> tuple[Header, ...]:
    """Say what the answer may be taken for and what a page may load.

    Args:
        profile: Whose policy to send.
        policy: Another Content-Security-Policy instead.
    """
    value = policy or _POLICIES[profile]
    lines = (b"x-content-type-options", b"nosniff"), (b"content-security-policy", value.encode("ascii"))
    # frame-ancestors says it to every browser since 2017; a page may meet an older one.
    return lines if profile == "api" else (*lines, (b"x-frame-options", b"DENY"))


def isolation(profile: Profile) -> tuple[Header, ...]:
    """Keep answers out of other sites' processes. Does not hinder CORS: it is asked only of requests without."""
    resource = (b"cross-origin-resource-policy", b"same-origin")
    return (resource,) if profile == "api" else (resource, (b"cross-origin-opener-policy", b"same-origin"))


def referrer(profile: Profile) -> tuple[Header, ...]:
    """Tell other sites no paths.

    Pages keep the referrer on their own origin: without it browsers send `Origin: null` with a form, which the
    cross-site check then refuses.
    """
    return ((b"referrer-policy", b"no-referrer" if profile == "api" else b"same-origin"),)


def permissions(profile: Profile) -> tuple[Header, ...]:
    """Give up the powers that an API's pages never use."""
    return () if profile == "api" else ((b"permissions-policy", _UNUSED_POWERS.encode("ascii")),)


def transport(seconds: int, *, subdomains: bool, preload: bool) -> tuple[Header, ...]:
    """Have browsers insist on https for so long (RFC 6797); for answers over https alone; 0: nothing is sent."""
    if seconds == 0:
        return ()
    value = f"max-age={seconds}" + ("; includeSubDomains" if subdomains else "") + ("; preload" if preload else "")
    return ((b"strict-transport-security", value.encode("ascii")),)


def caching() -> tuple[Header, ...]:
    """Keep an answer to one caller out of every cache (RFC 9111 section 5.2.2.5)."""
    return ((b"cache-control", b"no-store"),)
