"""Finish an answer: CORS, security and rate-limit fields in one pass, and the proof of ownership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.headers import finish as finished
from garrison.limits.headers import limit_headers
from garrison.model.refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.guard.decision import Decision
    from garrison.model.refusal import Refusal
    from garrison.model.request import Header, Request

__all__ = ["finish", "withheld"]


def finish(decision: Decision, request: Request, status: int, lines: Iterable[Header]) -> list[Header]:
    """Give the header lines of an answer, the application's or Garrison's own.

    Args:
        decision: What was decided; lends the route's policies and the verdicts of its limits.
        request: What was asked.
        status: Status of the answer.
        lines: The lines it has so far, names in lower case; not changed.
    """
    force, plan = decision.force, decision.plan
    security = force.plans.headers[plan.headers]
    private = status >= 400 or decision.principal.is_authenticated
    secure = request.scheme in _SECURE or force.says_secure(request)
    ours = [(b"x-request-id", decision.correlation.encode("ascii")), *security.lines(secure=secure, private=private)]
    verdicts = decision.verdicts
    if verdicts:
        ours += limit_headers(decision.asks, verdicts)
    if decision.preflight is not None:
        ours += decision.preflight
    elif (cors := force.cors(plan)) is not None:
        ours += cors.grant(request.line(b"origin"), limited=bool(verdicts))
    return finished(lines, security.ending(private=private), ours)


_SECURE = frozenset(("https", "wss"))


def withheld(decision: Decision, status: int) -> Refusal | None:
    """Give the refusal that replaces the application's on a route with `own = true`, or None to let it pass.

    A success without proof of ownership is withheld: the handler never called `must_own`, so whose thing it
    returns is anybody's guess (OWASP API1:2023). A 404 is always answered in the same words, so that another's
    thing cannot be told from a missing one by the way the application phrases either.
    """
    proof = decision.principal.proof
    if proof is None:
        return None
    if status == 404:
        return refuse("not_found", "not_found")
    if status < 400 and not proof.proved:
        return refuse("ownership_unproved", "ownership_unproved")
    return None
