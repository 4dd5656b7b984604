"""Say in a refusal what the route takes instead: every 401, and a 403 that other scopes would mend.

Sources: RFC 9110 section 15.5.2: a 401 always has a challenge, the application's own too; RFC 6750 section 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from garrison.model.http.challenge import challenges, is_bearer
from garrison.model.scope import is_scope
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.credentials.protocol import Credential
    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Header, Request
    from garrison.policy.plan import Plan

__all__ = ["challenged", "lacking", "with_challenge"]

_STRONGER = 'error="insufficient_user_authentication"'


def challenged(refusal: Refusal, request: Request, decision: Decision) -> Refusal:
    """Complete a refusal with the schemes of the route, whoever refused.

    Where the route takes none, as at a login, the challenge is that of whoever refused.
    """
    schemes = [credential.challenge for credential in decision.accepted]
    if not schemes or (refusal.status != 401 and refusal.code != "scope_missing"):
        return refusal
    if refusal.code in ("freshness_required", "assurance_required"):
        # A key proves that a program runs, never that a person is there; to ask for one would lead nowhere.
        schemes = [scheme for scheme in schemes if is_bearer(scheme)] or schemes
    told = _told(refusal.code, decision.plan, presented=b"authorization" in request.fields)
    others = (line for line in refusal.headers if line[0] != b"www-authenticate")
    return replace(refusal, headers=(*others, *challenges(schemes, told)))


def with_challenge(lines: Iterable[Header], accepted: Sequence[Credential]) -> list[Header]:
    """Complete a 401 of the application that names nothing to present with the schemes of the route.

    What was wrong is the application's to know, so nothing is said about a token that was presented.
    """
    known = list(lines)
    if any(name == b"www-authenticate" for name, _ in known):
        return known
    return [*known, *challenges([credential.challenge for credential in accepted])]


def lacking(accepted: Sequence[Credential], scopes: Iterable[str]) -> tuple[Header, ...]:
    """Say which scopes a handler demands beyond the policy, as the guard does for those of the policy."""
    wanted = " ".join(scope for scope in scopes if is_scope(scope))
    return challenges(
        [credential.challenge for credential in accepted], f'error="insufficient_scope", scope="{wanted}"'
    )


def _told(code: str, plan: Plan, *, presented: bool) -> str:
    """Say what was wrong with the bearer token, if there was one (RFC 6750 section 3.1, RFC 9470 section 3)."""
    if code == "scope_missing":
        return f'error="insufficient_scope", scope="{" ".join(plan.scopes)}"'
    if code == "freshness_required":
        return f"{_STRONGER}, max_age={plan.fresh // SECOND}"
    if code == "assurance_required":
        return f'{_STRONGER}, acr_values="{" ".join(plan.methods)}"'
    return 'error="invalid_token"' if presented and code != "credential_missing" else ""
