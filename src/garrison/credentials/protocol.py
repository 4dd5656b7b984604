"""What every kind of credential promises: to find itself in a request, and to tell whether it is true.

Finding is pure and looks at the form alone. Believing asks what is stored or remembered, and gives the
principal or the reason against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct

from garrison.model.http.refusal import Refusal
from garrison.model.principal import Principal

if TYPE_CHECKING:
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plan

__all__ = ["Credential", "Owner", "Owners", "Presented"]


class Presented(Struct, frozen=True, gc=False):
    """A credential that was found in a request, not yet believed."""

    kind: str
    """`key`, `jwt` or `custom`."""

    id: str
    """Its public name if the form shows one, else empty."""

    text: str = ""
    """The whole credential, where `believe` needs it as text."""

    extra: Any = None
    """What `find` learnt and `believe` would have to find out again."""

    def __repr__(self) -> str:
        """Show kind and public name; never the credential."""
        return f"Presented({self.kind!r}, {self.id!r})"


class Credential(Protocol):
    """One kind of credential. An implementation passes `garrison.testing.CredentialContract`."""

    kind: str
    """Its name in a policy."""

    challenge: bytes
    """Its part of `WWW-Authenticate` for a request that presents nothing (RFC 9110 section 11.6.1)."""

    lasts: bool
    """Whether `lasting` is worth asking for what stands in `Authorization`."""

    def find(self, request: Request) -> Presented | Refusal | None:
        """Look for a credential of this kind; pure.

        Returns:
            None when there is none of this kind; a refusal when it is malformed or ambiguous. Form and
            checksum are judged here, so that typing errors and garbage never reach a store.
        """
        ...

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal | Refusal:
        """Tell who presents it, or why nobody is believed.

        Args:
            presented: What `find` gave for this request.
            request: The request itself.
            address: Client address after trusted proxies; empty when unknown, which fits no network.
            plan: The route that is asked for.
            now: Wall microseconds, for expiry.
            monotonic: Monotonic microseconds, for the freshness of what is remembered.

        Raises:
            StoreError: What is remembered is too old to be trusted and the store could not answer.
        """
        ...

    def lasting(self, presented: Presented) -> object | None:
        """Give what stands for a believed credential from now on, without its text; None: believe it each time.

        Only for one that shows in the fields where keys and tokens stand, and that is believed for what it is,
        wherever it comes from and whatever is asked.
        """
        ...

    def stands(self, lasting: Any, field: bytes, now: int, monotonic: int) -> bool:
        """Tell whether `believe` would give the same principal again, without waiting for anything.

        Args:
            lasting: From `lasting`.
            field: Value of the field in which the same credential stands now.
            now: Wall microseconds.
            monotonic: Monotonic microseconds.
        """
        ...

    async def spend(self, principal: Principal) -> Refusal | None:
        """Spend one of the uses that a believed credential is good for, or refuse it; None as well if it has no end.

        The last thing asked of a request, so that what is refused for any other reason costs no use.

        Raises:
            StoreError: The store could not answer.
        """
        ...

    def used(self, principal: Principal, now: int) -> None:
        """Note that a believed credential passed every check; cheap, in memory, never waits."""
        ...


class Owner(NamedTuple):
    """What the owner of credentials may at this moment."""

    scopes: frozenset[str]
    """The owner's rights now; a credential carries what it was granted and the owner still has."""

    active: bool = True
    """Whether the owner may act at all."""

    epoch: int = 0
    """Counted up when every login of the owner is to end; a token says in which epoch it was issued. Keys live on
    until they are revoked."""


class Owners(Protocol):
    """Whoever knows the owners: `garrison.accounts`, or the application itself."""

    async def owner(self, principal_id: str) -> Owner | None:
        """Tell what an owner may now, or None when there is no such owner (any more).

        Raises:
            StoreError: The store could not answer.
        """
        ...
