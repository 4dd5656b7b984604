"""The application's own way to recognise its callers: one function, behind the same guard.

    def authenticate(request):
        return Principal(subject="ada", scopes=frozenset(["notes:read"])) if ... else None

It is asked only when the request presents nothing of the other kinds that could be accepted, so that two
answers to "who is it?" never compete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeAlias

from garrison.credentials.protocol import Credential, Presented
from garrison.errors import UsageError
from garrison.model.http.challenge import challenges, scheme
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.request import Request
from garrison.model.principal import ANONYMOUS, Principal

if TYPE_CHECKING:
    from garrison.policy.plan import Plan

__all__ = ["Authenticate", "OwnAuthentication"]

Authenticate: TypeAlias = Callable[[Request], "Principal | Awaitable[Principal | None] | None"]
"""Tells who sends a request, or None; may be a coroutine function where a loop runs. It is called once a request
and waited for: what it remembers between requests is its own business, and so is how soon it forgets."""


class OwnAuthentication:
    """The credential kind that an application brings along."""

    lasts = False

    def __init__(
        self, authenticate: Authenticate, realm: str, *, kind: str = "custom", beside: Sequence[Credential] = ()
    ) -> None:
        """Wrap the function.

        Args:
            authenticate: The application's.
            realm: What the challenge names, printable ASCII without quotes.
            kind: Its name in a policy.
            beside: The other kinds; a request that presents one of them is theirs.
        """
        self.kind = kind
        self.challenge = scheme("Bearer", realm)
        self._authenticate = authenticate
        self._beside = tuple(beside)
        self._headers = challenges([self.challenge])
        self._presented = Presented(kind, "", "")

    def find(self, request: Request) -> Presented | Refusal | None:
        """Stand back when another kind is presented; see `Credential.find`."""
        if any(other.find(request) is not None for other in self._beside):
            return None
        return self._presented

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal | Refusal:
        """Ask the application.

        Returns:
            Whom it names; nobody in particular on a public route, else 401 `credential_missing`.

        Raises:
            UsageError: It returned something else than a principal or None.
        """
        answer = self._authenticate(request)
        principal = await answer if isawaitable(answer) else answer
        if isinstance(principal, Principal):
            return principal
        if principal is not None:
            msg = f"authenticate must return a Principal or None, not {type(principal).__name__}"
            raise UsageError(msg)
        if plan.public:
            return ANONYMOUS
        return refuse("credential_missing", "authenticate_none", headers=self._headers)

    def lasting(self, presented: Presented) -> object | None:
        """Give nothing: the application is asked each time."""
        return None

    def stands(self, lasting: object, field: bytes, now: int, monotonic: int) -> bool:
        """Tell that nothing does."""
        return False

    async def spend(self, principal: Principal) -> Refusal | None:
        """Spend nothing: the application counts."""
        return None

    def used(self, principal: Principal, now: int) -> None:
        """Note nothing: the application knows."""
