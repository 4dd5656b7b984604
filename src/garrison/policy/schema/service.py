"""The whole declaration, and how the service is run."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from garrison.policy.schema.abuse import Abuse
from garrison.policy.schema.fields import (
    Count,
    CountersUrl,
    Duration,
    Environment,
    Host,
    LimitText,
    Name,
    Peer,
    Prefix,
    Reference,
    RouteText,
    Size,
    StoreUrl,
)
from garrison.policy.schema.identity import Accounts, Jwt, Keys
from garrison.policy.schema.part import Part
from garrison.policy.schema.routes import Cors, Defaults, Headers, Route

__all__ = ["Audit", "Caps", "Forwarded", "Operations", "Overload", "Policy", "Secrets", "Stores"]

_KEYS: dict[Environment, Literal["live", "test", "dev"]] = {
    "production": "live",
    "staging": "test",
    "development": "dev",
}


class Caps(Part, frozen=True):
    """How much of anything a caller may send."""

    connections: Count = 1_000
    """Connections that one network (an address, or a /64 of IPv6) may hold open at once, in `garrison serve`. Those of
    `forwarded.peers` are not counted."""

    head_time: Duration = "10s"
    """Longest time until the head of a request is whole, from the first byte or the connection on, in
    `garrison serve`."""

    body: Size = "1MiB"
    """Largest body."""

    body_time: Duration = "10s"
    """Longest time for a whole body, before `body_rate` grants more."""

    body_rate: Size = "16KiB"
    """Bytes that earn one more second."""

    message: Size = "1MiB"
    """Largest message of a WebSocket, in characters or bytes."""

    messages: LimitText = "100/s burst 1000"
    """Messages that one WebSocket may send."""

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


class Overload(Part, frozen=True):
    """What is done when more is asked than can be served."""

    in_flight: Count = 2_000
    """Requests that the application works on at once, at the very most. Fewer while work has to wait."""

    wait: Duration = "25ms"
    """How long work may wait for the event loop, or for a thread, before fewer requests are let in."""


class Forwarded(Part, frozen=True):
    """Which proxies may say who the client is."""

    peers: tuple[Peer, ...] = ()
    """Networks of trusted proxies in CIDR form; `unix` for one behind a Unix socket."""

    header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The one header that is believed; all others are ignored."""

    hops: Annotated[int, Meta(ge=1, le=32)] = 8
    """Longest chain that is walked."""

    scheme: bool = True
    """Whether the same peers are believed about https (`X-Forwarded-Proto`, or `proto=`)."""


class Secrets(Part, frozen=True):
    """Where secrets are; never the secrets themselves."""

    root: Reference = ""
    """`file:PATH`, `credential:NAME` (systemd) or `env:NAME`; at least 32 random bytes, base64url or hex."""

    old_roots: tuple[Reference, ...] = ()
    """Former root keys that still open what was sealed with them."""


class Stores(Part, frozen=True):
    """Where things are kept, by URL."""

    records: StoreUrl = "memory:"
    """`memory:`, `sqlite:PATH` or `postgresql://USER@HOST/DATABASE`."""

    password: Reference = ""
    """Where the password of the database's user is, if it has one: `file:PATH`, `credential:NAME` or `env:NAME`."""

    counters: CountersUrl = "memory:"
    """`memory:`: each process counts alone. `records:`: all processes count as one, in the records store. Or on a Redis
    or Valkey server: `redis://USER@localhost:6379`, `rediss://USER@HOST` with TLS, `unix:///PATH`. Or on a cluster of
    those, by some of its nodes: `rediss+cluster://USER@HOST:PORT,HOST:PORT`."""

    counters_password: Reference = ""
    """Where the password of that server's user is, if it has one."""

    processes: Annotated[int, Meta(ge=0)] = 0
    """Most processes that count together, on all machines; 0: `workers`. Divides limits that each process counts alone,
    and what a `fast` limit takes in advance."""

    counter_keys: Count = 1_000_000
    """Most subjects a memory counter remembers per class of window."""


class Audit(Part, frozen=True):
    """The journal."""

    refusals_per_minute: Count = 10
    """Refusals of one subject and reason recorded one by one; the rest are one record with a count."""

    keep: Duration = "400d"
    """How long records stay."""


class Operations(Part, frozen=True):
    """What operators may ask the running service."""

    metrics: Prefix = ""
    """Where a collector reads the figures, such as `/metrics`; it presents a key or token with the scope
    `admin:metrics`. Empty: nowhere."""

    ready: Prefix = ""
    """Where a load balancer asks whether to send requests here, such as `/ready`. Empty: nowhere."""

    drain: Duration = "0s"
    """How long `garrison serve` goes on after SIGTERM, telling a load balancer `draining`."""


class Policy(Part, frozen=True):
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
    overload: Overload = Overload()
    keys: Keys = Keys()
    jwt: Jwt = Jwt()
    accounts: Accounts | None = None
    audit: Audit = Audit()
    operations: Operations = Operations()
    abuse: Abuse | None = None
    defaults: Defaults = Defaults()
    cors: dict[Name, Cors] = field(default_factory=dict)
    """CORS policies by name; routes say which is theirs."""

    headers: dict[Name, Headers] = field(default_factory=dict)
    """Header profiles by name; one named like a built-in profile takes its place."""

    routes: dict[RouteText, Route] = field(default_factory=dict)
    """`"GET /api/tasks/{id}" = { … }`; several methods as `"GET|POST /x"`, HEAD follows GET, a WebSocket is
    `"WS /x"`."""

    @property
    def keys_here(self) -> Keys:
        """The keys of this environment: what `keys.environment` says, else what the environment itself is."""
        return replace(self.keys, environment=self.keys.environment or _KEYS[self.environment])
