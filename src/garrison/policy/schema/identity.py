"""Who is believed: keys, tokens and people."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from garrison.policy.schema.fields import (
    Characters,
    Count,
    Duration,
    Exact,
    FieldName,
    HttpsUrl,
    JwsAlgorithm,
    Length,
    Life,
    LimitText,
    Name,
    Prefix,
    Scope,
    Text,
)
from garrison.policy.schema.part import Part

__all__ = ["Accounts", "Issuer", "Jwt", "Keys"]


class Keys(Part, frozen=True):
    """API keys."""

    header: FieldName = "x-api-key"
    """Field that carries a key; `Authorization: Bearer` is read as well. Never the query."""

    brand: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{1,9}\Z")] = "grsn"
    """First word of every key, so that a leaked one is recognised."""

    environment: Literal["", "live", "test", "dev"] = ""
    """Third word of every key; a key of another one is refused unread. Empty: `live` in production, `test` in staging,
    `dev` in development."""

    overlap: Duration = "24h"
    """How long the old secret still works after a rotation."""

    cache: Count = 100_000
    """Most key records kept hot."""

    most_per_owner: Count = 20
    """Most keys that one owner may have at once."""


class Issuer(Part, frozen=True):
    """A foreign issuer whose tokens are accepted."""

    issuer: Text
    """`iss` of its tokens, letter for letter."""

    jwks: HttpsUrl
    """Where its public keys are, an https address."""

    audience: Text
    """`aud` that names this API in its tokens."""

    algorithms: Annotated[tuple[JwsAlgorithm, ...], Meta(min_length=1)] = ("RS256", "ES256")
    """What it signs with; nothing else is tried."""

    max_age: Life = "1d"
    """Age at which its tokens count no longer, whatever their `exp`: for so long it is remembered whom we ended."""

    tenant: str = ""
    """Tenant that its principals belong to."""

    scopes: tuple[Scope, ...] = ()
    """Most that its tokens may carry here."""

    scope_claim: str = "scope"
    """Claim that holds the scopes."""

    typ: Annotated[tuple[str, ...], Meta(min_length=1)] = ("at+jwt",)
    """Token types that are accepted (RFC 9068 section 2.1)."""


class Jwt(Part, frozen=True):
    """Access tokens: our own, and those of named foreign issuers."""

    issuer: Annotated[str, Meta(max_length=1024)] = ""
    """`iss` of our own tokens; empty: `service`."""

    audience: Annotated[str, Meta(max_length=1024)] = ""
    """`aud` of our own tokens; empty: `service`."""

    algorithm: Literal["HS256", "ES256", "Ed25519", "PS256", "RS256"] = "HS256"
    """What our own tokens are signed with: HS256 for one service, ES256 or Ed25519 when others verify them."""

    access: Life = "15m"
    """Life of an access token."""

    refresh: Life = "30d"
    """Life of a refresh token; a new one comes with each use."""

    leeway: Duration = "0s"
    """How far clocks of two machines may be apart."""

    cache: Count = 10_000
    """Most verified tokens remembered (asymmetric algorithms only)."""

    issuers: dict[Name, Issuer] = field(default_factory=dict)
    """Foreign issuers, by a name of your choice."""


class Accounts(Part, frozen=True):
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

    username_length: tuple[Length, Length] = (3, 50)
    """Shortest and longest username."""

    password_length: Annotated[int, Meta(ge=8, le=128)] = 15
    """Shortest password in characters (NIST SP 800-63B-4: 15 when it is the only factor)."""

    registrations: Exact = "at most 5 in 1h per address"
    """How often one address may register; a form with a mistake in it counts for `logins` alone."""

    logins: LimitText = "5/s burst 50 per address"
    """How often one address may ask to register, to log in, to refresh, and to log out, each."""

    failures: Exact = "at most 5 in 15m"
    """Wrong guesses at one account by all strangers together, and by each device or network it knows, before 429."""

    failures_per_address: Exact = "at most 20 in 15m"
    """Failed logins of all accounts from one address before 429."""

    fresh: Duration = "5m"
    """How fresh a login must be to make or change keys."""

    hash_threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Password hashes at once; 0: as many as cores."""

    hash_wait: Duration = "2s"
    """Longest queue for a hash before 503."""

    hash_memory: Annotated[int, Meta(ge=7, le=256)] = 19
    """MiB that one password hash (argon2id) fills. With `hash_passes` at least 35: 19 and 2, 46 and 1, 12 and 3."""

    hash_passes: Annotated[int, Meta(ge=1, le=10)] = 2
    """How often one password hash walks its memory."""
