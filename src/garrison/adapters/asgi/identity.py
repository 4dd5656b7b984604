"""Tell the application who acts, under the names frameworks look for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from garrison.adapters.asgi.body import Receive, Scope, Send

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.principal import Principal

__all__ = ["App", "Authorization", "identify"]

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class Authorization:
    """The scopes of a request, as Starlette's `@requires` asks for them: `authenticated` is among them."""

    __slots__ = ("_principal",)

    def __init__(self, principal: Principal) -> None:
        """Keep the principal."""
        self._principal = principal

    @property
    def scopes(self) -> list[str]:
        """List the scopes, sorted; stars stay as granted."""
        known = ["authenticated"] if self._principal.is_authenticated else []
        return known + sorted(self._principal.scopes)


def identify(scope: Scope, decision: Decision) -> None:
    """Put `user` and `auth` into the scope, and both into its `state`, in place of what others put there."""
    principal = decision.principal
    scope["user"] = principal
    scope["auth"] = Authorization(principal)
    state = scope.setdefault("state", {})
    state["principal"] = principal
    state["scopes"] = principal.scopes
    state["correlation"] = decision.correlation
