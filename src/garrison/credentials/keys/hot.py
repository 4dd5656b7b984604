"""A key as read from the store, compiled for checking, and the checks of what it is restricted to.

Whoever is refused here has proved to hold the key, so the answer is 403 and may say that the key is not for
this. A fact that is missing (no address, no origin) never satisfies a restriction.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from garrison.credentials.key_record import KeyRecord, KeySecret
from garrison.credentials.protocol import Presented
from garrison.limits import Ask, parse
from garrison.limits.subject import subject_key
from garrison.model.net import Networks
from garrison.model.principal import Principal
from garrison.model.scope import effective
from garrison.model.units import MINUTE
from garrison.policy.route import parse_route

if TYPE_CHECKING:
    from garrison.credentials.protocol import Owner
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plan

__all__ = [
    "REMEMBERED",
    "Bounds",
    "HotKey",
    "KeyPrincipal",
    "Proved",
    "Unproved",
    "compiled",
    "confined",
    "proved",
    "restricted",
    "slim",
]

_READ: Final = ":read"
_READS: Final = frozenset(("GET", "HEAD"))

REMEMBERED: Final = MINUTE
"""Longest time a key is hot, microseconds: news says sooner when something ended, and this bounds news that is lost."""

_SHARED: Final = 4_096
"""Different sets of scopes and restrictions that are kept compiled."""


class KeyPrincipal(Principal, frozen=True, kw_only=True):
    """Whoever acts with a key."""

    secret: str = ""
    """Public id of the secret that was presented; its uses are counted."""

    counted: bool = False
    """Whether the key is good for a number of uses only."""


class Bounds(Struct, frozen=True, gc=False):
    """What keys were granted and are restricted to, compiled; one for all keys that have both in common."""

    texts: tuple[tuple[str, ...], ...]
    """What it is compiled from."""

    granted: frozenset[str]
    routes: frozenset[str]
    networks: Networks | None
    known: Networks | None
    origins: frozenset[bytes]


class HotKey(Struct, gc=False):
    """One key as read from the store, compiled for checking. `gc=False`: holds no cycle, so none is sought."""

    record: KeyRecord
    version: int
    """Of the row it was read from."""

    until: int
    """When it is to be read again, wall microseconds."""

    scopes: frozenset[str]
    """What was granted and the owner may now."""

    bounds: Bounds
    asks: tuple[Any, ...]
    digests: list[bytes]
    """Where its proved secrets stand in the cache."""


class Unproved(Presented, frozen=True, gc=False):
    """A text that has the form of a key, or could be one of another system."""

    raw: bytes = b""
    digest: bytes = b""
    """SHA-256 of it."""


class Proved(Struct, gc=False):
    """One secret that was presented and found true: next time its digest is enough."""

    key: HotKey
    principal: KeyPrincipal
    until: int
    """Wall microsecond from which it must be proved again: the secret or its key ends, or it was hot for long."""

    plain: bool
    """Whether nothing but expiry is left to check."""

    live: bool = True


def compiled(record: KeyRecord, owner: Owner | None, now: int, version: int = 0) -> HotKey:
    """Compile a key.

    Args:
        record: From a row whose seal was found genuine.
        owner: What its owner may now; None: the grant stands alone.
        now: Wall microseconds, before it was read.
        version: Of the row.
    """
    bounds = _bounds(record.scopes, record.routes, record.networks, record.known, record.origins)
    return HotKey(
        record,
        version,
        now + REMEMBERED,
        bounds.granted if owner is None else effective(bounds.granted, owner.scopes),
        bounds,
        _asks(record) if record.limits else (),
        [],
    )


def slim(key: HotKey) -> None:
    """Let a key that is to be kept share its texts with all keys that have the same, and drop what only people read."""
    scopes, routes, networks, known, origins = key.bounds.texts
    key.record = replace(
        key.record, scopes=scopes, routes=routes, networks=networks, known=known, origins=origins, name="", reason=""
    )


def proved(key: HotKey, secret: KeySecret) -> Proved:
    """Make what stands for one secret of a hot key from now on."""
    record = key.record
    principal = KeyPrincipal(
        subject=record.subject,
        kind=record.subject_kind,
        issuer=record.issuer,
        tenant=record.tenant,
        scopes=key.scopes,
        credential=f"key:{record.id}",
        asks=key.asks,
        id=record.owner,
        secret=secret.id,
        counted=record.counted,
    )
    until = min(filter(None, (key.until, secret.expires, record.expires)))
    free = not (record.routes or record.networks or record.origins or record.counted)
    return Proved(key, principal, until, free and record.status == "active")


def restricted(key: HotKey, request: Request, address: str, plan: Plan) -> str:
    """Check what the key is restricted to; gives the reason against, or nothing."""
    bounds = key.bounds
    routes = bounds.routes
    if routes and plan.route not in routes and f"{request.method} {plan.template}" not in routes:
        return "key_route"
    # An address that is not known fits no network, whatever the network's notation says of sockets without one.
    if bounds.networks is not None and not (address and bounds.networks.contains(address)):
        return "key_network"
    if bounds.origins and (request.one(b"origin") or "").encode() not in bounds.origins:
        return "key_origin"
    return ""


def confined(key: HotKey, principal: KeyPrincipal, request: Request, address: str) -> KeyPrincipal | None:
    """Cut a quarantined key down: from known networks it works as before, from elsewhere it may only read.

    Returns:
        Whoever acts then; None when this is no read.
    """
    known = key.bounds.known
    if known is not None and address and known.contains(address):
        return principal
    if request.method not in _READS:
        return None
    return replace(principal, scopes=frozenset(scope for scope in key.scopes if scope.endswith(_READ)))


def _asks(record: KeyRecord) -> tuple[Ask, ...]:
    return tuple([Ask(subject_key(f"key {at}", record.id), parse(text)) for at, text in enumerate(record.limits)])


@lru_cache(maxsize=_SHARED)
def _bounds(
    scopes: tuple[str, ...],
    routes: tuple[str, ...],
    networks: tuple[str, ...],
    known: tuple[str, ...],
    origins: tuple[str, ...],
) -> Bounds:
    return Bounds(
        (scopes, routes, networks, known, origins),
        frozenset(scopes),
        frozenset([name for route in routes for name in _names(route)]),
        Networks(networks) if networks else None,
        Networks(known) if known else None,
        frozenset([origin.encode() for origin in origins]),
    )


def _names(route: str) -> list[str]:
    """A route's name, and for each of its methods the name it would have alone."""
    found = parse_route(route)
    return [route, *(f"{method} {found.template}" for method in found.methods)]
