"""Steps 3 and 8: spend limits, all of a phase or none.

Phase `before` counts addresses, so that guessing costs the guesser; phase `after` counts who was believed. A
refusal after `before` keeps the address charge on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limits import Ask
from garrison.limits.headers import limit_refusal
from garrison.limits.subject import subject_key
from garrison.model.net import address_subject

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.limits import Limit
    from garrison.model.principal import Principal
    from garrison.model.refusal import Refusal
    from garrison.policy.plan import Plan
    from garrison.stores.protocols import Counters

__all__ = ["address_asks", "principal_asks", "spend"]

_BOTH = frozenset(("principal", "key"))


def address_asks(plan: Plan, decision: Decision) -> list[Ask]:
    """Make the asks of phase `before`: everything is counted per network of the client."""
    subject = address_subject(decision.address)
    return [Ask(subject_key(key, subject), limit) for key, limit in plan.before]


def principal_asks(plan: Plan, decision: Decision) -> list[Ask]:
    """Make the asks of phase `after`: the route's, and the credential's own.

    Where a key names the app and a token the user, both are charged.
    """
    principal = decision.principal
    app = principal.app
    asks = [Ask(subject_key(key, _party(limit, principal)), limit) for key, limit in plan.after]
    if app is not None:
        asks += [Ask(subject_key(key, _party(limit, app)), limit) for key, limit in plan.after if limit.per in _BOTH]
        asks += app.asks
    return [*asks, *principal.asks] if principal.asks else asks


def _party(limit: Limit, principal: Principal) -> str:
    per = limit.per
    if per == "principal":
        return principal.id
    if per == "key":
        return principal.credential or principal.id
    return principal.tenant if per == "tenant" else ""


async def spend(counters: Counters, asks: list[Ask], decision: Decision) -> Refusal | None:
    """Spend all asks or none; the verdicts stay with the decision for the header fields.

    Raises:
        StoreError: The counters could not answer.
    """
    if not asks:
        return None
    verdicts = await counters.take(asks)
    decision.asks += asks
    decision.verdicts += verdicts
    for verdict in verdicts:
        if not verdict.allowed:
            return limit_refusal(asks, verdicts)
    return None
