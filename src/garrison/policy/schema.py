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
    "laid_over",
]

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Count = Annotated[int, Meta(ge=1)]
CredentialName = Literal["key", "jwt"]
Profile = Literal["api", "html", "docs"]
Environment = Literal["development", "staging", "production"]

JwsAlgorithm = Literal[
    "HS256", "ES256", "ES384", "ES512", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"
]

# Each mark names a reader in `garrison.policy.notation`.
Characters = Annotated[str, Meta(extra={"notation": "characters"})]
Duration = Annotated[str, Meta(extra={"notation": "duration"})]
FieldName = Annotated[str, Meta(extra={"notation": "field"})]
Host = Annotated[str, Meta(extra={"notation": "host"})]
LimitText = Annotated[str, Meta(extra={"notation": "limit"})]
Network = Annotated[str, Meta(extra={"notation": "network"})]
Prefix = Annotated[str, Meta(extra={"notation": "prefix"})]
Reference = Annotated[str, Meta(extra={"notation": "reference"})]
RouteText = Annotated[str, Meta(extra={"notation": "route"})]
Scope = Annotated[str, Meta(extra={"notation": "scope"})]
StoreUrl = Annotated[str, Meta(extra={"notation": "store"})]
Size = Annotated[str, Meta(extra={"notation": "size"})]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every part of a policy shares: frozen, by name, nothing unknown."""


class All(_Part, frozen=True):
    """Several credentials at once: the key names the app, the token names the user."""

    all: tuple[CredentialName, ...]


class Requirement(_Part, frozen=True):
    """How strong, and how fresh, the login behind a request must be."""

    fresh: Duration = ""
    """Longest time since the person proved who they are: `"5m"`. A key never satisfies it."""

    methods: tuple[str, ...] = ()
    """Methods (`amr`, RFC 8176) of which every one must have been used."""


class Route(_Part, frozen=True):
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

    max_body: Size | None = None
    """Largest body, instead of `caps.body`."""

    require: Requirement | None = None
    """How fresh and how strong the login must be."""

    mode: Literal["enforce", "observe"] | None = None
    """`observe` records refusals of this route without refusing."""

    sets_cookie: bool | None = None
    """Whether answers set a cookie: then cross-site requests are refused even without one (login CSRF)."""


class Defaults(Route, frozen=True):
    """Demands of every route that does not say otherwise."""


def laid_over(under: Route, over: Route) -> Route:
    """Take each demand from the upper route, and from the lower one where the upper says nothing."""
    names = Route.__struct_fields__
    return Route(**{name: getattr(under if getattr(over, name) is None else over, name) for name in names})


class Cors(_Part, frozen=True):
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

    dangerously_allow_insecure_origins: bool = False
    """Let http origins beyond loopback in, with credentials: whoever sits on the wire acts as the user."""

    dangerously_allow_public_suffix_subdomains: bool = False
    """Let a pattern stand at a public suffix: anybody can register a name below `*.github.io`."""


class Headers(_Part, frozen=True):
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
    """Content-Security-Policy instead of the profile's; `{nonce}` stands for the answer's nonce source."""

    set: dict[str, str] = {}
    """Further fields; an empty value leaves one of the profile's out."""

    locked: bool = False
    """Whether the application may not override them."""


class Caps(_Part, frozen=True):
    """How much of anything a caller may send."""

    body: Size = "1MiB"
    """Largest body."""

    body_time: Duration = "10s"
    """Longest time for a whole body, before `body_rate` grants more."""

    body_rate: Size = "16KiB"
    """Bytes that earn one more second."""

    header_bytes: Size = "32KiB"
    """Most bytes in all header fields together."""

    header_count: Count = 100
    """Most header fields."""

    path: Size = "4KiB"
    """Longest path as sent."""

    query: Size = "8KiB"
    """Longest query as sent."""

    fields: Count = 1_000
    """Members and elements in a JSON body, all levels together."""

    depth: Annotated[int, Meta(ge=1, le=200)] = 32
    """Nesting of a JSON body."""


class Forwarded(_Part, frozen=True):
    """Which proxies may say who the client is."""

    peers: tuple[Network, ...] = ()
    """Networks of trusted proxies, in CIDR form."""

    header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The one header that is believed; all others are ignored."""

    hops: Annotated[int, Meta(ge=1, le=32)] = 8
    """Longest chain that is walked."""

    scheme: bool = True
    """Whether the same peers are believed about https (`X-Forwarded-Proto`, or `proto=`)."""


class Secrets(_Part, frozen=True):
    """Where secrets are; never the secrets themselves."""

    root: Reference = ""
    """`file:PATH`, `credential:NAME` (systemd) or `env:NAME`; at least 32 random bytes, base64url or hex."""

    old_roots: tuple[Reference, ...] = ()
    """Former root keys that still open what was sealed with them."""


class Stores(_Part, frozen=True):
    """Where things are kept, by URL."""

    records: StoreUrl = "memory:"
    """`memory:` or `sqlite:PATH`."""

    counters: StoreUrl = "memory:"
    """`memory:`: each process counts alone."""

    counter_keys: Count = 1_000_000
    """Most subjects a memory counter remembers per class of window."""


class Keys(_Part, frozen=True):
    """API keys."""

    header: FieldName = "x-api-key"
    """Field that carries a key; `Authorization: Bearer` is read as well. Never the query."""

    brand: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{1,9}$")] = "grsn"
    """First word of every key, so that a leaked one is recognised."""

    environment: Literal["live", "test", "dev"] = "live"
    """Second word of every key; a key of another environment is refused unread."""

    overlap: Duration = "24h"
    """How long the old secret still works after a rotation."""

    cache: Count = 100_000
    """Most key records kept hot."""

    most_per_owner: Count = 20
    """Most keys that one owner may have at once."""


class Issuer(_Part, frozen=True):
    """A foreign issuer whose tokens are accepted."""

    issuer: str
    """`iss` of its tokens, letter for letter."""

    jwks: str
    """Where its public keys are, an https address."""

    audience: str
    """`aud` that names this API in its tokens."""

    algorithms: tuple[JwsAlgorithm, ...] = ("RS256", "ES256")
    """What it signs with; nothing else is tried."""

    tenant: str = ""
    """Tenant that its principals belong to."""

    scopes: tuple[Scope, ...] = ()
    """Most that its tokens may carry here."""

    scope_claim: str = "scope"
    """Claim that holds the scopes."""

    typ: tuple[str, ...] = ("at+jwt",)
    """Token types that are accepted (RFC 9068 section 2.1)."""


class Jwt(_Part, frozen=True):
    """Access tokens: our own, and those of named foreign issuers."""

    issuer: str = ""
    """`iss` of our own tokens; empty: `service`."""

    audience: str = ""
    """`aud` of our own tokens; empty: `service`."""

    algorithm: Literal["HS256", "ES256", "Ed25519", "PS256", "RS256"] = "HS256"
    """What our own tokens are signed with: HS256 for one service, ES256 or Ed25519 when others verify them."""

    access: Duration = "15m"
    """Life of an access token."""

    refresh: Duration = "30d"
    """Life of a refresh token; a new one comes with each use."""

    leeway: Duration = "0s"
    """How far clocks of two machines may be apart."""

    cache: Count = 10_000
    """Most verified tokens remembered (asymmetric algorithms only)."""

    issuers: dict[Name, Issuer] = {}
    """Foreign issuers, by a name of your choice."""


class Accounts(_Part, frozen=True):
    """People who register and log in here. Left out: there are none."""

    prefix: Prefix = "/auth"
    """Where register, login, refresh and logout stand."""

    me: Prefix = "/me"
    """Where a user asks who they are."""

    keys: Prefix = "/keys"
    """Where a user's own API keys stand; empty: nowhere."""

    register: bool = True
    """Whether anybody may make an account."""

    scopes: tuple[Scope, ...] = ()
    """What a new user may."""

    username: Characters = "[A-Za-z0-9_]"
    """Characters of a username."""

    username_length: tuple[Count, Count] = (3, 50)
    """Shortest and longest username."""

    password_length: Annotated[int, Meta(ge=8, le=128)] = 15
    """Shortest password in characters (NIST SP 800-63B-4: 15 when it is the only factor)."""

    registrations: LimitText = "at most 5 in 1h per address"
    """How often one address may register."""

    logins: LimitText = "5/s burst 50 per address"
    """How often one address may try to log in, refresh or log out."""

    failures: LimitText = "at most 5 in 15m"
    """Failed logins of one account from one network before 429."""

    failures_per_address: LimitText = "at most 20 in 15m"
    """Failed logins of all accounts from one address before 429."""

    fresh: Duration = "5m"
    """How fresh a login must be to make or change keys."""

    hash_threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Password hashes at once; 0: as many as cores."""

    hash_wait: Duration = "2s"
    """Longest queue for a hash before 503."""


class Audit(_Part, frozen=True):
    """The journal."""

    refusals_per_minute: Count = 10
    """Refusals of one subject and reason recorded one by one; the rest are one record with a count."""

    keep: Duration = "400d"
    """How long records stay."""


class Policy(_Part, frozen=True):
    """The whole declaration."""

    service: Name = "api"
    """Name of what is guarded; issuer and audience of its own tokens unless said otherwise."""

    mode: Literal["enforce", "observe"] = "enforce"
    """`observe` records every refusal without refusing."""

    environment: Environment = "production"
    """Set by `GARRISON_ENV` or the loader; never in the file."""

    hosts: tuple[Host, ...] = ()
    """Hosts that are served; any other is answered 421. None listed: loopback only."""

    workers: Count = 1
    """Processes that serve at once; more than one needs counters that they share."""

    forwarded: Forwarded = Forwarded()
    secrets: Secrets = Secrets()
    stores: Stores = Stores()
    caps: Caps = Caps()
    keys: Keys = Keys()
    jwt: Jwt = Jwt()
    accounts: Accounts | None = None
    audit: Audit = Audit()
    defaults: Defaults = Defaults()
    cors: dict[Name, Cors] = {}
    """CORS policies by name; routes say which is theirs."""

    headers: dict[Name, Headers] = {}
    """Header profiles by name; one named like a built-in profile takes its place."""

    routes: dict[RouteText, Route] = {}
    """`"GET /api/tasks/{id}" = { … }`; several methods as `"GET|POST /x"`, a WebSocket as `"WS /x"`."""
