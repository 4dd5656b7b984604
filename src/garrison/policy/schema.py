"""The policy as frozen structs: the same names and nesting as `garrison.toml`.

Durations, sizes and limits stay the text that the file holds (`"5m"`, `"1MiB"`, `"50/s burst 500 per
principal"`); `garrison.policy.plan` turns them into numbers once, when it compiles.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

__all__ = [
    "Accounts",
    "All",
    "Audit",
    "Caps",
    "Cors",
    "Defaults",
    "Forwarded",
    "Headers",
    "Issuer",
    "Jwt",
    "Keys",
    "Policy",
    "Requirement",
    "Route",
    "Secrets",
    "Stores",
]

_Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
CredentialName = Literal["key", "jwt"]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every part of a policy shares: frozen, by name, nothing unknown."""


class All(_Part):
    """Several credentials at once: the key names the app, the token names the user."""

    all: tuple[CredentialName, ...]


class Requirement(_Part):
    """How strong, and how fresh, the login behind a request must be."""

    fresh: str = ""
    """Longest time since the person proved who they are: `"5m"`. A key never satisfies it."""

    methods: tuple[str, ...] = ()
    """Methods (`amr`, RFC 8176) of which every one must have been used."""


class Route(_Part):
    """What one route demands. What is left out comes from `[defaults]`."""

    public: bool | None = None
    """Whether it may be called without a credential."""

    credentials: tuple[CredentialName, ...] | All | None = None
    """Which kinds are accepted: any one of a list, or `{ all = [...] }`."""

    scopes: tuple[str, ...] | None = None
    """Scopes that are all demanded."""

    own: bool | None = None
    """Whether the handler must prove whose thing it returns (`Principal.must_own`)."""

    limit: str | tuple[str, ...] | None = None
    """Limits, all of them held: `"50/s burst 500 per principal"`. They replace the default limits."""

    cors: str | None = None
    """Name of a `[cors.<name>]`, or `"none"`."""

    headers: str | None = None
    """Name of a `[headers.<name>]` or of a built-in profile: `api`, `html`, `docs`."""

    body: str | None = None
    """File with a JSON Schema that the body must fit, relative to the policy."""

    max_body: str | None = None
    """Largest body, instead of `caps.body`."""

    require: Requirement | None = None
    mode: Literal["enforce", "observe"] | None = None
    """`observe` records refusals of this route without refusing."""

    sets_cookie: bool | None = None
    """Whether answers set a cookie: then cross-site requests are refused even without one (login CSRF)."""


class Defaults(Route):
    """Demands of every route that does not say otherwise."""


class Cors(_Part):
    """Which pages of other origins may read the answers (Fetch, CORS protocol)."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("authorization", "content-type", "x-api-key")
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age: str = "10m"
    dangerously_allow_insecure_origins: bool = False
    dangerously_allow_public_suffix_subdomains: bool = False


class Headers(_Part):
    """Security header fields of answers: a profile, and what differs from it."""

    profile: Literal["api", "html", "docs"] = "api"
    hsts: str = "730d"
    """How long browsers insist on HTTPS; `"0s"`: not sent. Sent over https alone."""

    hsts_subdomains: bool = True
    csp: str = ""
    """Content-Security-Policy instead of the profile's."""

    set: dict[str, str] = {}
    """Further fields; an empty value leaves one of the profile's out."""

    locked: bool = False
    """Whether the application may not override them."""


class Caps(_Part):
    """How much of anything a caller may send."""

    body: str = "1MiB"
    body_time: str = "10s"
    """Longest time for a whole body, before `body_rate` grants more."""

    body_rate: str = "16KiB"
    """Bytes that earn one more second."""

    header_bytes: str = "32KiB"
    header_count: int = 100
    path: str = "4KiB"
    query: str = "8KiB"
    fields: int = 1_000
    """Members and elements in a JSON body, all levels together."""

    depth: int = 32
    """Nesting of a JSON body."""


class Forwarded(_Part):
    """Which proxies may say who the client is."""

    peers: tuple[str, ...] = ()
    """Networks of trusted proxies, in CIDR form."""

    header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The one header that is believed; all others are ignored."""

    hops: int = 8
    """Longest chain that is walked."""

    scheme: bool = True
    """Whether the same peers are believed about https (`X-Forwarded-Proto`, or `proto=`)."""


class Secrets(_Part):
    """Where secrets are; never the secrets themselves."""

    root: str = ""
    """`file:PATH`, `credential:NAME` (systemd) or `env:NAME`; at least 32 random bytes, base64url or hex."""

    old_roots: tuple[str, ...] = ()
    """Former root keys that still open what was sealed with them."""


class Stores(_Part):
    """Where things are kept, by URL."""

    records: str = "memory:"
    """`memory:` or `sqlite:PATH`."""

    counters: str = "memory:"
    counter_keys: int = 1_000_000
    """Most subjects a memory counter remembers per class of window."""


class Keys(_Part):
    """API keys."""

    header: str = "x-api-key"
    """Field that carries a key; `Authorization: Bearer` is read as well. Never the query."""

    brand: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{1,9}$")] = "grsn"
    environment: Literal["live", "test", "dev"] = "live"
    overlap: str = "24h"
    """How long the old secret still works after a rotation."""

    cache: int = 100_000
    """Most key records kept hot."""

    most_per_owner: int = 20


class Issuer(_Part):
    """A foreign issuer whose tokens are accepted."""

    issuer: str
    jwks: str
    audience: str
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    """Most that its tokens may carry here."""

    scope_claim: str = "scope"
    typ: tuple[str, ...] = ("at+jwt",)


class Jwt(_Part):
    """Access tokens: our own, and those of named foreign issuers."""

    issuer: str = ""
    """`iss` of our own tokens; empty: `service`."""

    audience: str = ""
    """`aud` of our own tokens; empty: `service`."""

    algorithm: Literal["HS256", "ES256", "Ed25519", "PS256", "RS256"] = "HS256"
    access: str = "15m"
    refresh: str = "30d"
    leeway: str = "0s"
    cache: int = 10_000
    """Most verified tokens remembered (asymmetric algorithms only)."""

    issuers: dict[str, Issuer] = {}


class Accounts(_Part):
    """People who register and log in here. Left out: there are none."""

    prefix: str = "/auth"
    """Where register, login, refresh and logout stand."""

    me: str = "/me"
    keys: str = "/keys"
    """Where a user's own API keys stand; empty: nowhere."""

    register: bool = True
    scopes: tuple[str, ...] = ()
    """What a new user may."""

    username: str = "[A-Za-z0-9_]"
    username_length: tuple[int, int] = (3, 50)
    password_length: int = 15
    """Shortest password in characters (NIST SP 800-63B-4: 15 when it is the only factor)."""

    registrations: str = "at most 5 in 1h per address"
    logins: str = "5/s burst 50 per address"
    failures: str = "at most 5 in 15m"
    """Failed logins of one account from one network before 429."""

    failures_per_address: str = "at most 20 in 15m"
    fresh: str = "5m"
    """How fresh a login must be to make or change keys."""

    hash_threads: int = 0
    """Password hashes at once; 0: as many as cores."""

    hash_wait: str = "2s"
    """Longest queue for a hash before 503."""


class Audit(_Part):
    """The journal."""

    refusals_per_minute: int = 10
    """Refusals of one subject and reason recorded one by one; the rest are one record with a count."""

    keep: str = "400d"


class Policy(_Part):
    """The whole declaration."""

    service: _Name = "api"
    """Name of what is guarded; issuer and audience of its own tokens unless said otherwise."""

    mode: Literal["enforce", "observe"] = "enforce"
    environment: Literal["development", "staging", "production"] = "production"
    """Set by `GARRISON_ENV` or the loader; never in the file."""

    hosts: tuple[str, ...] = ()
    """Hosts that are served; any other is answered 421. None listed: loopback only."""

    workers: int = 1
    forwarded: Forwarded = Forwarded()
    secrets: Secrets = Secrets()
    stores: Stores = Stores()
    caps: Caps = Caps()
    keys: Keys = Keys()
    jwt: Jwt = Jwt()
    accounts: Accounts | None = None
    audit: Audit = Audit()
    defaults: Defaults = Defaults()
    cors: dict[str, Cors] = {}
    headers: dict[str, Headers] = {}
    routes: dict[str, Route] = {}
    """`"GET /api/tasks/{id}" = { … }`; several methods as `"GET|POST /x"`, a WebSocket as `"WS /x"`."""
