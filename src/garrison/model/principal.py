"""Who acts, once believed.

A principal is (tenant, kind, issuer, subject), and all four count wherever principals are told apart:
ownership, limits, caches, records and audit. So one deployment serves many tenants, and a `sub` of one
issuer is never taken for the same text from another.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import force_setattr

from garrison.errors import OwnershipError
from garrison.model import scope as scopes_of

__all__ = ["ANONYMOUS", "OwnershipProof", "Principal", "principal_id"]


def principal_id(kind: str, subject: str, issuer: str = "", tenant: str = "") -> str:
    """Write the four parts as one text, `user:ada`, different for every different four.

    Each part is percent-encoded, so that no chosen subject can look like another's issuer or tenant.
    """
    parts = [quote(part, safe="@._-") for part in (kind, subject, issuer, tenant)]
    while len(parts) > 2 and not parts[-1]:
        parts.pop()
    return ":".join(parts)


class OwnershipProof:
    """Whether the handler of one request has asked who owns what it returns."""

    __slots__ = ("proved",)

    def __init__(self) -> None:
        """Begin unproved."""
        self.proved = False


class Principal(Struct, frozen=True, kw_only=True):
    """Who acts: made by a credential, handed to the application."""

    subject: str
    """Who, as the issuer names them (`sub` of RFC 7519)."""

    kind: str = "user"
    """`user`, `service` (a key or token that acts for no person), `anonymous`."""

    issuer: str = ""
    """Who vouches for the subject; empty for this deployment itself."""

    tenant: str = ""
    """Who owns the principal and its records; empty where there is one tenant."""

    scopes: frozenset[str] = frozenset()
    """Effective rights: what the credential was granted, cut to what its owner may now."""

    credential: str = ""
    """What was presented, by public name: `key:4fQx…`, `jwt:8d1c…`; never the secret."""

    session: str = ""
    """The login this belongs to, by public name; empty when there is none."""

    authenticated_at: int = 0
    """When the person last proved who they are, wall microseconds; 0: never (a key)."""

    methods: tuple[str, ...] = ()
    """How they proved it (`amr` of RFC 8176)."""

    app: Principal | None = None
    """The application that acts for the user, where a route asks for both key and token."""

    asks: tuple[Any, ...] = ()
    """What the credential's own limits count: `garrison.limits.Ask`s that the guard spends with the route's."""

    id: str = ""
    """All four parts as one text; set from them when left out. Store this as the owner of a thing."""

    proof: OwnershipProof | None = None
    """Set by the guard on routes with `own = true`."""

    def __post_init__(self) -> None:
        """Fill in the id."""
        if not self.id:
            force_setattr(self, "id", principal_id(self.kind, self.subject, self.issuer, self.tenant))

    def may(self, scope: str) -> bool:
        """Tell whether the principal has the scope, by name or by `prefix:*`."""
        return scopes_of.covers(self.scopes, scope)

    def owns(self, owner: str) -> bool:
        """Tell whether the principal is the owner, and record that the question was asked.

        Args:
            owner: The `Principal.id` stored with the thing.
        """
        mine = bool(owner) and owner == self.id
        if mine and self.proof is not None:
            self.proof.proved = True
        return mine

    def must_own(self, owner: str) -> None:
        """Go on only if the principal is the owner; another's thing answers like a missing one.

        Args:
            owner: The `Principal.id` stored with the thing.

        Raises:
            OwnershipError: It belongs to somebody else. Adapters answer 404.
        """
        if not self.owns(owner):
            raise OwnershipError("not found")

    @property
    def is_authenticated(self) -> bool:
        """Tell whether anybody was recognised; Starlette's `request.user` asks for this name."""
        return self.kind != "anonymous"

    @property
    def display_name(self) -> str:
        """Give the subject; Starlette's `request.user` asks for this name."""
        return self.subject


ANONYMOUS = Principal(subject="", kind="anonymous")
"""Nobody: the caller of a public route without a credential."""
