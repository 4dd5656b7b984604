"""What a token says, once it is believed: typed claims that refuse wrong types by themselves.

Sources: RFC 7519 section 4.1; RFC 9068 section 2.2; RFC 8693 section 4.2 (`scope`); OpenID Connect Core section 2
(`auth_time`, `acr`, `amr`) and Front-Channel Logout section 3 (`sid`); RFC 7800 (`cnf`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_type_hints

from msgspec import Meta, Struct, defstruct

from garrison.errors import UsageError
from garrison.model import scope

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LATEST", "LONGEST_NAME", "OURS", "REGISTERED", "Claims", "Instant", "Text", "demanding"]

LATEST = 253_402_300_799
"""The last second of the year 9999."""

LONGEST_NAME = 1024
"""Most characters of a name."""

Instant = Annotated[float, Meta(ge=0, le=LATEST)]
"""Seconds since 1970, fractions allowed (RFC 7519 section 2)."""

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
"""A name that is there."""


class Claims(Struct, frozen=True, kw_only=True, gc=False):
    """The claims Garrison knows. Derive from it, `frozen=True, kw_only=True`, to read more; the rest is ignored."""

    iss: Text
    """Who issued it."""

    aud: Text | Annotated[list[Text], Meta(max_length=64)]
    """Whom it is for."""

    exp: Instant
    """When it ends."""

    sub: Text = ""
    """Whom it is about."""

    iat: Instant = 0
    """When it was issued."""

    nbf: Instant = 0
    """Before when it does not count."""

    jti: Text = ""
    """Its own name, unique within the issuer."""

    scope: str = ""
    """Scopes, with one space between them."""

    client_id: str = ""
    """The client it was issued to."""

    sid: str = ""
    """The login it belongs to."""

    tenant: str = ""
    """Who owns the subject."""

    epoch: Annotated[int, Meta(ge=0)] | None = None
    """How often everything of the subject had been ended when it was issued; only our own issuer writes it."""

    auth_time: Instant = 0
    """When the person last proved who they are."""

    acr: str = ""
    """How strong that proof was."""

    amr: tuple[str, ...] = ()
    """How they proved it."""

    cnf: Any = None
    """The key whose holder alone may use it."""

    @property
    def scopes(self) -> frozenset[str]:
        """Give the scopes as a set."""
        return scope.parse(self.scope)

    @property
    def expires(self) -> int:
        """Give `exp` in wall microseconds."""
        return int(self.exp * 1_000_000)


C = TypeVar("C", bound=Claims)

OURS = ("tenant", "epoch")
"""Claims that mean something from our own issuer alone."""

REGISTERED = frozenset(Claims.__struct_fields__)
"""Names of the claims above: an application writes no other meaning into them."""


def demanding(claims: type[C], required: Iterable[str]) -> type[C]:
    """Derive claims of which the named ones must be there, so that decoding itself finds them missing.

    Raises:
        UsageError: The claims have no such name.
    """
    known = get_type_hints(claims, include_extras=True)
    unknown = sorted(set(required) - known.keys())
    if unknown:
        msg = f"{claims.__name__} has no claim named {unknown[0]!r}"
        raise UsageError(msg)
    fields = [(name, known[name]) for name in required]
    return cast("type[C]", defstruct(claims.__name__, fields, bases=(claims,), frozen=True, kw_only=True, gc=False))
