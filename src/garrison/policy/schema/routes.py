"""What routes demand, and what the pages and browsers around them are told."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from garrison.policy.schema.fields import CredentialName, Duration, LimitText, MediaType, Profile, Scope, Size
from garrison.policy.schema.part import Part

__all__ = ["All", "Cors", "Defaults", "Headers", "Requirement", "Route", "laid_over"]


class All(Part, frozen=True):
    """Several credentials at once: the key names the app, the token names the user."""

    all: tuple[CredentialName, ...]
    """Kinds of which every one is demanded."""


class Requirement(Part, frozen=True):
    """How strong, and how fresh, the login behind a request must be."""

    fresh: Duration = ""
    """Longest time since the person proved who they are: `"5m"`. A key never satisfies it."""

    methods: tuple[str, ...] = ()
    """Methods (`amr`, RFC 8176) of which every one must have been used."""


class Route(Part, frozen=True):
    """What one route demands. What is left out comes from `[defaults]`."""

    public: bool | None = None
    """Whether it may be called without a credential."""

    credentials: tuple[CredentialName, ...] | All | None = None
    """Which kinds are accepted: any one of a list, or `{ all = [...] }`."""

    scopes: tuple[Scope, ...] | None = None
    """Scopes that are all demanded."""

    own: bool | None = None
    """Whether the handler must prove whose thing it returns (`Principal.must_own`)."""

    limit: LimitText | tuple[LimitText, ...] | None = None
    """Limits, all of them held: `"50/s burst 500 per principal"`. They replace the default limits; `[]`: none.

    Routes that keep the default limits share one count; a limit of its own counts a route alone.
    """

    cors: str | None = None
    """Name of a `[cors.<name>]`, or `"none"`."""

    headers: str | None = None
    """Name of a `[headers.<name>]` or of a built-in profile: `api`, `html`, `docs`."""

    body: str | None = None
    """File with a JSON Schema that the body must fit, relative to the policy."""

    content: tuple[MediaType, ...] | None = None
    """Types of the bodies it takes, `image/*` or `*/*` among them. Left out: `application/json`, which every
    `application/*+json` counts as. A body of another type, or of none, is answered 415.

    JSON is judged by the guard, and nothing else is: the handler must not parse JSON out of a body of another type.
    """

    max_body: Size | None = None
    """Largest body, instead of `caps.body`."""

    require: Requirement | None = None
    """How fresh and how strong the login must be."""

    mode: Literal["enforce", "observe"] | None = None
    """`observe` records refusals of this route without refusing."""

    priority: Literal["critical", "login", "normal", "bulk"] | None = None
    """Who goes first when not all can be served; left out: `normal`. Callers without a credential come after those
    with one, and `bulk` after `normal`. `login` has places of its own, and no more than those.
    """

    sets_cookie: bool | None = None
    """Whether answers set a cookie: then cross-site requests are refused even without one (login CSRF)."""


class Defaults(Route, frozen=True):
    """Demands of every route that does not say otherwise."""


def laid_over(under: Route, over: Route) -> Route:
    """Take each demand from the upper route, and from the lower one where the upper says nothing."""
    names = Route.__struct_fields__
    return Route(**{name: getattr(under if getattr(over, name) is None else over, name) for name in names})


class Cors(Part, frozen=True):
    """Which pages of other origins may read the answers (Fetch, CORS protocol)."""

    origins: tuple[str, ...] = ()
    """Exact origins, `https://*.example.com` (one label or more), `http://localhost:*`, or `*` alone."""

    methods: tuple[str, ...] | None = None
    """Methods a page may use. Left out: those of the routes that name this policy."""

    headers: tuple[str, ...] | None = None
    """Request fields a page may set, or `*` (without credentials it never covers `authorization`).

    Left out: `content-type`, and the fields that carry the credentials of the routes that name this policy.
    """

    expose: tuple[str, ...] = ()
    """Answer fields a page may read, beyond those that every page may."""

    credentials: bool = False
    """Whether pages may send cookies and client certificates along."""

    max_age: Duration = "10m"
    """How long a browser may remember a preflight answer; a removed origin lives on that long."""

    debug: bool = False
    """Whether a refused preflight lets the browser's console name what is not allowed. Refused in production, where
    it would tell everybody else too.
    """

    dangerously_allow_insecure_origins: bool = False
    """Let http origins beyond loopback in, with credentials: whoever sits on the wire acts as the user."""

    dangerously_allow_public_suffix_subdomains: bool = False
    """Let a pattern stand at a public suffix: anybody can register a name below `*.github.io`."""


class Headers(Part, frozen=True):
    """Security header fields of answers: a profile, and what differs from it."""

    profile: Profile = "api"
    """What to begin with: `api` for JSON, `html` for pages, `docs` for an API's documentation page."""

    hsts: Duration = "730d"
    """How long browsers insist on HTTPS; `"0s"`: not sent. Sent over https alone."""

    hsts_subdomains: bool = True
    """Whether that holds for all names below too."""

    hsts_preload: bool = False
    """Whether browsers may ship the rule; leaving their list again takes months."""

    csp: str = ""
    """Content-Security-Policy instead of the profile's. A page with a nonce in it sends its own, which wins."""

    set: dict[str, str] = field(default_factory=dict)
    """Further fields; an empty value leaves one of the profile's out."""

    locked: bool = False
    """Whether the application may not override them."""
