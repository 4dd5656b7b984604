"""Tell the application who acts, under the names frameworks look for, and by nothing that the caller wrote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from garrison.adapters.asgi.body import Receive, Scope, Send
from garrison.model.http.identity import IDENTITY
from garrison.model.principal import Principal

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request

__all__ = ["App", "Authorization", "identify"]

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class Authorization(Struct, frozen=True):
    """The scopes of a request, as Starlette's `@requires` asks for them: `authenticated` is among them."""

    principal: Principal
    """Whose they are."""

    @property
    def scopes(self) -> list[str]:
        """List the scopes, sorted; stars stay as granted."""
        known = ["authenticated"] if self.principal.is_authenticated else []
        return known + sorted(self.principal.scopes)


def identify(scope: Scope, request: Request, decision: Decision) -> None:
    """Put `user` and `auth` into the scope, and both into its `state`, in place of what others put there.

    `garrison.accepted` tells adapters which credentials the route takes, for a challenge.
    """
    if not IDENTITY.isdisjoint(request.fields):
        scope["headers"] = [line for line in request.headers if line[0] not in IDENTITY]
    principal = decision.principal
    scope["user"] = principal
    scope["auth"] = Authorization(principal)
    scope["garrison.accepted"] = decision.accepted
    state = scope.setdefault("state", {})
    state["principal"] = principal
    state["scopes"] = principal.scopes
    state["correlation"] = decision.correlation
