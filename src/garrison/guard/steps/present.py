"""Step 4: find the one credential a request presents, before anything is looked up.

A kind that the route does not accept is ignored. Two accepted kinds at once are refused unless the route asks
for both: which of them counts must never depend on the order in which they are tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from garrison.model.http.refusal import Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.credentials.protocol import Credential, Presented
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request

__all__ = ["Found", "challenge", "present"]

Found: TypeAlias = "Sequence[tuple[Credential, Presented]]"
"""What was found, with who can tell whether it is true."""


def present(request: Request, decision: Decision) -> Found | Refusal:
    """Find what the route accepts.

    Args:
        request: Where to look.
        decision: Knows the kinds that the route accepts, and whether it asks for every one of them or may be
            called without any.
    """
    accepted, plan = decision.accepted, decision.plan
    found: list[tuple[Credential, Presented]] = []
    for credential in accepted:
        presented = credential.find(request)
        if presented is None:
            continue
        if type(presented) is Refusal:
            return _challenged(presented, accepted)
        found.append((credential, presented))
    if len(found) == (len(plan.credentials) if plan.all_credentials else 1) or (plan.public and not found):
        decision.found = found
        return found
    return _wrong_number(found, accepted, request, every=plan.all_credentials)


def _wrong_number(found: Found, accepted: Sequence[Credential], request: Request, *, every: bool) -> Refusal:
    if len(found) > 1 and not every:
        return refuse("credential_ambiguous", "several_credentials")
    if not found and b"authorization" in request.fields and accepted:
        return refuse("credential_malformed", "no_accepted_form", headers=challenge(accepted, error="invalid_token"))
    return refuse("credential_missing", "missing", headers=challenge(accepted))


def _challenged(refusal: Refusal, accepted: Sequence[Credential]) -> Refusal:
    if refusal.status != 401 or refusal.headers:
        return refusal
    return refuse(refusal.code, refusal.reason, headers=challenge(accepted, error="invalid_token"))


def challenge(accepted: Sequence[Credential], error: str = "", scope: str = "") -> tuple[tuple[bytes, bytes], ...]:
    """Say what to present, one `WWW-Authenticate` line per scheme (RFC 9110 section 11.6.1, RFC 6750 section 3).

    Args:
        accepted: The kinds that would do.
        error: `invalid_token` or `insufficient_scope`; empty when nothing was presented, as RFC 6750 demands.
        scope: The scopes that would do, separated by spaces.
    """
    tail = f', error="{error}"' if error else ""
    tail += f', scope="{scope}"' if scope else ""
    return tuple(
        (
            b"www-authenticate",
            credential.challenge + (tail.encode("ascii") if b"Bearer" in credential.challenge else b""),
        )
        for credential in accepted
    )
