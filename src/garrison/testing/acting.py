"""Act as somebody in the tests of a guarded application, without keys, tokens or logins.

Everything else stays as it is: routes, scopes, ownership, limits, bodies. A test that passes here passes with a
real credential of the same scopes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from garrison.credentials.protocol import Presented
from garrison.errors import UsageError
from garrison.guard.force import InForce, served_hosts
from garrison.guard.steps.hosts import Hosts
from garrison.model.principal import Principal
from garrison.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.credentials.protocol import Credential
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plan

__all__ = ["acting_as"]


class _Acting:
    """A credential that every request has."""

    kind = "acting"
    lasts = False
    challenge = b'Bearer realm="test"'

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def find(self, request: Request) -> Presented:
        return Presented("acting", self._principal.subject, "")

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal:
        return self._principal

    def lasting(self, presented: Presented) -> object | None:
        """Give nothing: it costs nothing to believe."""
        return None

    def stands(self, lasting: object, field: bytes, now: int, monotonic: int) -> bool:
        """Tell that nothing does."""
        return False

    async def spend(self, principal: Principal) -> None:
        """Spend nothing."""

    def used(self, principal: Principal, now: int) -> None:
        """Count nothing."""


class _ActingInForce(InForce):
    """A policy in force whose every route takes that credential, and as many as it asks for."""

    __slots__ = ("_acting",)

    def __init__(self, force: InForce, acting: _Acting) -> None:
        super().__init__(force.plans, {acting.kind: acting}, force.trusted, force.blocked, force.lists)
        # The test client's name for the host is served, whatever environment the policy is for.
        self.hosts = Hosts(served_hosts(self.plans.policy.hosts, "development"))
        self._acting = acting

    def accepted(self, plan: Plan) -> tuple[Credential, ...]:
        return (self._acting,) * (len(plan.credentials) if plan.all_credentials else 1)


@contextmanager
def acting_as(app: Any, scopes: Sequence[str] = (), subject: str = "tester", **facts: Any) -> Iterator[Principal]:
    """Let every request to the application come from one principal, for as long as the block lasts.

    Args:
        app: A guarded application, its guard, a `Runtime`, or the test client of a Django project.
        scopes: What the principal may.
        subject: Who it is.
        **facts: Further fields of `Principal`, such as `authenticated_at`.

    Raises:
        UsageError: No guard stands before the application.
    """
    runtime = _runtime_of(app)
    principal = Principal(subject=subject, scopes=frozenset(scopes), credential="acting:test", **facts)
    sides = (runtime.awaited_side, runtime.driven_side)
    before = [side.guard.force for side in sides]
    for side in sides:
        side.guard.force = _ActingInForce(side.guard.force, _Acting(principal))
    try:
        yield principal
    finally:
        for side, force in zip(sides, before, strict=True):
            side.guard.force = force


def _outermost(app: Any) -> Any:
    """Give the outermost middleware of an application, built if it is not yet."""
    handler: Any = getattr(app, "handler", None)
    if handler is not None and hasattr(handler, "load_middleware"):
        # Django's test client; its chain wraps the first middleware.
        if getattr(handler, "_middleware_chain", None) is None:
            handler.load_middleware()
        return getattr(getattr(handler, "_middleware_chain", None), "__wrapped__", None)
    if getattr(app, "middleware_stack", app) is None:
        app.middleware_stack = app.build_middleware_stack()
    return getattr(app, "middleware_stack", app)


def _runtime_of(app: Any) -> Runtime:
    """Find the guard: the application itself, around it, in its stack of middleware, or among its extensions."""
    if isinstance(app, Runtime):
        return app
    extensions = getattr(app, "extensions", {})
    extension = extensions.get("garrison") if isinstance(extensions, dict) else None
    if isinstance(extension, Runtime):
        return extension
    layer = _outermost(app)
    while layer is not None:
        runtime = getattr(layer, "runtime", None)
        if isinstance(runtime, Runtime):
            return runtime
        layer = getattr(layer, "app", None)
    msg = "no guard stands before this application"
    raise UsageError(msg)
