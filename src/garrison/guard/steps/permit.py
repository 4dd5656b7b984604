"""Step 7: what the principal may, once believed. Pure: facts in, a refusal or nothing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.http.refusal import refuse
from garrison.model.scope import missing

if TYPE_CHECKING:
    from garrison.model.http.refusal import Refusal
    from garrison.model.principal import Principal
    from garrison.policy.plan import Plan

__all__ = ["permit"]


def permit(plan: Plan, principal: Principal, now: int) -> Refusal | None:
    """Check scopes, freshness and assurance of the principal against the plan.

    Args:
        plan: What the route demands.
        principal: Who was believed; anonymous on a public route.
        now: Wall microseconds.
    """
    scopes = plan.scopes
    if scopes and not principal.scopes.issuperset(scopes) and (lacking := missing(principal.scopes, scopes)):
        return refuse("scope_missing", "scope_missing:" + ",".join(lacking))
    if plan.fresh and not _fresh(plan, principal, now):
        return refuse("freshness_required", "freshness_required")
    if plan.methods and not set(plan.methods) <= set(principal.methods):
        return refuse("assurance_required", "assurance_required")
    return None


def _fresh(plan: Plan, principal: Principal, now: int) -> bool:
    """A key never is: it proves that a program runs, not that a person is there."""
    return 0 < principal.authenticated_at <= now + plan.fresh and now - principal.authenticated_at < plan.fresh
