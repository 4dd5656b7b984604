"""Tell the application who acts, under the names frameworks look for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from garrison.adapters.asgi.body import Receive, Scope, Send
from garrison.model.principal import Principal

if TYPE_CHECKING:
    from garrison.guard.decision import Decision

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


def identify(scope: Scope, decision: Decision) -> None:
    """Put `user` and `auth` into the scope, and both into its `state`, in place of what others put there."""
    principal = decision.principal
    scope["user"] = principal
    scope["auth"] = Authorization(principal)
    state = scope.setdefault("state", {})
    state["principal"] = principal
    state["scopes"] = principal.scopes
    state["correlation"] = decision.correlation
