"""Steps 3 and 8: what limits are asked, and what their verdicts mean.

Phase `before` counts addresses, so that guessing costs the guesser; phase `after` counts who was believed. A
refusal after `before` keeps the address charge on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.shedding import CLASSES, overloaded, rank, turn
from garrison.limits import Ask
from garrison.limits.adaptive import price
from garrison.limits.headers import limit_refusal
from garrison.limits.subject import subject_key
from garrison.model.net import address_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.guard.decision import Decision
    from garrison.limits import Limit, Verdict
    from garrison.model.http.refusal import Refusal
    from garrison.model.principal import Principal
    from garrison.policy.plan import Rule

__all__ = ["address_asks", "dearer", "principal_asks", "spent"]

_DEAR = CLASSES.index("anonymous")
"""From this rank on, load makes requests dearer."""

_FIRST = frozenset(("critical", "login"))
_BOTH = frozenset(("principal", "key"))


def address_asks(decision: Decision, load: float = 0.0) -> tuple[Ask, ...]:
    """Make the asks of phase `before`: everything is counted per network of the client.

    Who asks is not known yet, so that load makes dearer only what anybody may ask for, and bulk.
    """
    plan, asked = decision.plan, decision.force.asked
    name = plan.route, decision.address
    known = asked.get(name)
    if known is None:
        subject = address_subject(decision.address)
        known = asked.keep(name, tuple(Ask(subject_key(key, subject), limit) for key, limit in plan.before))
    return _dear(decision, known, load) if load and (plan.public or plan.priority == "bulk") else known


def dearer(decision: Decision, load: float) -> Sequence[Ask]:
    """Make what the request asks of its limits cost more, by load, unless it is among those that go first.

    Args:
        decision: Of a principal that is known.
        load: How busy the service is, from 0 to 1.
    """
    return _dear(decision, decision.wants, load) if rank(decision) >= _DEAR else decision.wants


def _dear(decision: Decision, asks: Sequence[Ask], load: float) -> tuple[Ask, ...]:
    if decision.plan.priority in _FIRST:
        return tuple(asks)
    priced = tuple(ask._replace(cost=price(ask.limit, load)) for ask in asks)
    decision.dear = decision.dear or any(ask.cost > 1 for ask in priced)
    return priced


def principal_asks(decision: Decision) -> tuple[Ask, ...]:
    """Make the asks of phase `after`: the route's, and the credential's own.

    Where a key names the app and a token the user, both are charged.
    """
    principal, asked = decision.principal, decision.force.asked
    app = principal.app
    if app is not None:
        rules = [rule for rule in decision.plan.after if rule.limit.per in _BOTH]
        return (*_asks(decision.plan.after, principal), *_asks(rules, app), *app.asks)
    name = decision.plan.route, principal.id, principal.credential
    known = asked.get(name)
    if known is None:
        known = asked.keep(name, _asks(decision.plan.after, principal))
    return (*known, *principal.asks) if principal.asks else known


def _asks(rules: Sequence[Rule], principal: Principal) -> tuple[Ask, ...]:
    return tuple(Ask(subject_key(key, _party(limit, principal)), limit) for key, limit in rules)


def _party(limit: Limit, principal: Principal) -> str:
    per = limit.per
    if per == "principal":
        return principal.id
    if per == "key":
        return principal.credential or principal.id
    return principal.tenant if per == "tenant" else ""


def spent(decision: Decision, asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> Refusal | None:
    """Keep the verdicts for the header fields, and refuse if one denies."""
    if decision.verdicts:
        decision.asks, decision.verdicts = (*decision.asks, *asks), (*decision.verdicts, *verdicts)
    else:
        decision.asks, decision.verdicts = asks, verdicts
    refused = False
    for allowed, _, _, _, lease in verdicts:
        if lease:
            decision.holds = True
        if not allowed:
            refused = True
    if not refused:
        return None
    if decision.dear and all(allowed or remaining for allowed, remaining, *_ in verdicts):
        # It would have passed on a quiet day: that is no fault of the caller's.
        return overloaded(decision, turn(decision, 0))
    return limit_refusal(asks, verdicts)
