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

__all__ = ["Found", "present"]

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
            return presented
        found.append((credential, presented))
    if len(found) == (len(plan.credentials) if plan.all_credentials else 1) or (plan.public and not found):
        decision.found = found
        return found
    if len(found) > 1 and not plan.all_credentials:
        return refuse("credential_ambiguous", "several_credentials")
    if not found and b"authorization" in request.fields and accepted:
        return refuse("credential_malformed", "no_accepted_form")
    return refuse("credential_missing", "missing")
