"""What a new key is to be: the order as a value, and every reason why it cannot be carried out.

All mistakes are found at once. The notations are the policy's own.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from garrison.cors.origin import parse as parse_origin
from garrison.credentials.key_format import Environment, KeyKind
from garrison.credentials.key_record import KEEP, KeyRecord
from garrison.errors import UsageError
from garrison.limits import parse as parse_limit
from garrison.model.fit import Misfit, fit
from garrison.model.principal import Principal
from garrison.model.scope import covers
from garrison.model.units import duration
from garrison.policy.notation import READERS
from garrison.policy.schema import Duration, LimitText, Network, RouteText, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from garrison.policy.schema import Policy

__all__ = ["MOST_USES", "NewKey", "is_network", "mistakes", "record_of", "unnamed"]

MOST_USES: Final = 10**12
"""Largest number of uses that is counted."""

_Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Few = Meta(max_length=32)


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a new key is to be; decodes from the body of a request as it stands."""

    name: _Name
    """What people call it; 1 to 64 characters."""

    kind: KeyKind = "sk"
    """`sk`; `pk` for pages, bound to origins and to reading; `rk`, bound to routes or networks."""

    scopes: Annotated[tuple[Scope, ...], Meta(max_length=64)] = ()
    """Rights; what is in effect is never more than the owner may at the time."""

    expires_in: Duration = ""
    """How long it lives, `"90d"`; empty: until it is revoked."""

    networks: Annotated[tuple[Network, ...], _Few] = ()
    """Networks it may come from; an address that is unknown is in none."""

    routes: Annotated[tuple[RouteText, ...], Meta(max_length=256)] = ()
    """Routes of the policy it may be used for."""

    origins: Annotated[tuple[str, ...], _Few] = ()
    """Origins whose pages may use it. Only browsers tell the truth about theirs: this restrains pages, not programs."""

    limits: Annotated[tuple[LimitText, ...], Meta(max_length=8)] = ()
    """Limits of this key alone, `"1000 per calendar hour per key"`."""

    uses: Annotated[int, Meta(ge=1, le=MOST_USES)] | None = None
    """How often it may be used in all, exactly; None: any number of times."""


def mistakes(order: NewKey) -> tuple[Misfit, ...]:
    """List everything that is wrong with an order; none: it can be carried out."""
    found = fit(msgspec.to_builtins(order), NewKey, READERS).misfits
    return found or tuple(_across(order))


def unnamed(order: NewKey, policy: Policy, routes: Mapping[str, Iterable[str]]) -> tuple[Misfit, ...]:
    """List the scopes and routes of an order that the policy names nowhere: probably misspelled, and good for nothing.

    An application may ask for scopes of its own (`me.may("reports:print")`), so this is no mistake by itself.

    Args:
        order: Without mistakes.
        policy: Its accounts and issuers grant scopes.
        routes: Every route, Garrison's own endpoints included, and the scopes that it demands.
    """
    scopes = _granted(policy).union(*routes.values())
    strange = []
    for at, text in enumerate(order.scopes):
        # A star is named by what it covers.
        if not covers(scopes, text) and not any(covers(frozenset((text,)), one) for one in scopes):
            strange.append(Misfit(("scopes", at), "unknown", _unnamed(text, "right", scopes)))
    for at, text in enumerate(order.routes):
        if text not in routes:
            strange.append(Misfit(("routes", at), "unknown", _unnamed(text, "route", routes)))
    return tuple(strange)


def record_of(order: NewKey, id: str, owner: Principal | None, environment: Environment, now: int) -> KeyRecord:
    """Write the record of an order, without its secrets.

    Args:
        order: Without mistakes.
        id: Of the new key.
        owner: Who acts when it is used; None: the key itself, as a service.
        environment: The policy's.
        now: Wall microseconds.
    """
    whose = owner or Principal(subject=id, kind="service")
    expires = now + duration(order.expires_in) if order.expires_in else 0
    return KeyRecord(
        id=id,
        name=order.name,
        kind=order.kind,
        environment=environment,
        owner=whose.id,
        subject=whose.subject,
        subject_kind=whose.kind,
        issuer=whose.issuer,
        tenant=whose.tenant,
        scopes=order.scopes,
        created=now,
        expires=expires,
        networks=order.networks,
        routes=order.routes,
        origins=order.origins,
        limits=order.limits,
        counted=order.uses is not None,
        purge=expires + KEEP if expires else 0,
    )


def _across(order: NewKey) -> Iterator[Misfit]:
    """Rules that no single field knows."""
    yield from _of_its_kind(order)
    if order.expires_in and not duration(order.expires_in):
        yield Misfit(("expires_in",), "rule", "must be longer than nothing: the key would be dead at birth")
    for at, origin in enumerate(order.origins):
        if parse_origin(origin) is None:
            yield Misfit(("origins", at), "format", "must be an origin such as https://app.example.com")
    for at, text in enumerate(order.limits):
        limit = parse_limit(text)
        if limit.per != "key" or limit.algorithm == "concurrency":
            yield Misfit(("limits", at), "rule", "must count per key, and over time: 1000/h per key")


def _of_its_kind(order: NewKey) -> Iterator[Misfit]:
    if order.kind == "pk" and not order.origins:
        yield Misfit(("origins",), "rule", "must name at least one: a publishable key is bound to its pages")
    if order.kind == "pk" and not all(scope.endswith(":read") for scope in order.scopes):
        yield Misfit(("scopes",), "rule", "may only be for reading (…:read): anybody can copy a publishable key")
    if order.kind == "rk" and not (order.routes or order.networks):
        yield Misfit(("routes",), "rule", "must name a route or a network: a restricted key is bound to them")


def _granted(policy: Policy) -> frozenset[str]:
    """Collect what new accounts and tokens of foreign issuers may carry."""
    of_issuers = [issuer.scopes for issuer in policy.jwt.issuers.values()]
    return frozenset(chain(*of_issuers, policy.accounts.scopes if policy.accounts else ()))


def _unnamed(text: str, what: str, names: Iterable[str]) -> str:
    close = get_close_matches(text, sorted(names), n=1)
    return f"{text!r} is no {what} of the policy" + (f"; did you mean {close[0]!r}?" if close else "")


def is_network(text: str) -> bool:
    """Tell whether the text is a network of addresses."""
    try:
        READERS["network"](text)
    except UsageError:
        return False
    return True
