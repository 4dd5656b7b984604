"""Finish an answer: CORS, security and rate-limit fields in one pass, and the proof of ownership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.headers import finish as finished
from garrison.limits.headers import limit_headers
from garrison.model.principal import ANONYMOUS
from garrison.model.refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.guard.decision import Decision
    from garrison.guard.force import Head
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
    force, verdicts = decision.force, decision.verdicts
    origin = request.fields.get(b"origin")
    if b"origin" in request.repeated:
        origin = request.line(b"origin")
    private = status >= 400 or decision.principal is not ANONYMOUS
    secure = request.scheme in _SECURE or (force.scheme and force.says_secure(request))
    name = decision.plan.route, origin, private, secure, bool(verdicts)
    how, same = force.heads.get(name) or force.heads.keep(name, _head(decision, *name[1:]))
    ours = [(b"x-request-id", decision.correlation.encode("ascii")), *same]
    if verdicts:
        ours += limit_headers(decision.asks, verdicts)
    return finished(lines, how, ours if decision.preflight is None else [*ours, *decision.preflight])


def _head(decision: Decision, origin: bytes | None, private: bool, secure: bool, limited: bool) -> Head:
    """Put together the lines that depend on nothing but these; a preflight brings its own answer to the origin."""
    force, plan = decision.force, decision.plan
    security = force.plans.headers[plan.headers]
    cors = None if decision.preflight is not None else force.cors(plan)
    grant = () if cors is None else cors.grant(origin, limited=limited)
    return security.ending(private=private), (*security.lines(secure=secure, private=private), *grant)


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
