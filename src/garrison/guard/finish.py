"""Finish an answer: CORS, security and rate-limit fields in one pass, and the proof of ownership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.challenge import with_challenge
from garrison.headers import finish as finished
from garrison.limits.headers import limit_headers
from garrison.model.http.refusal import refuse
from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.guard.decision import Decision
    from garrison.guard.force import Head
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Header, Request
    from garrison.model.http.response import Response

__all__ = ["finish", "finish_own", "head", "withheld"]


def finish(decision: Decision, request: Request, status: int, lines: Iterable[Header]) -> list[Header]:
    """Give the header lines of an answer, the application's or Garrison's own.

    Args:
        decision: What was decided; lends the route's policies and the verdicts of its limits.
        request: What was asked.
        status: Status of the answer.
        lines: The lines it has so far, names in lower case; not changed.
    """
    if status == 401 and decision.accepted:
        lines = with_challenge(lines, decision.accepted)
    verdicts = decision.verdicts
    how, same = decision.head or head(decision, request, status)
    ours = [(b"x-request-id", decision.correlation.encode("ascii")), *same]
    if verdicts:
        ours += limit_headers(decision.asks, verdicts)
    return finished(lines, how, ours if decision.preflight is None else [*ours, *decision.preflight])


def head(decision: Decision, request: Request, status: int) -> Head:
    """Find the lines that are the same in every answer like this one."""
    force = decision.force
    origin = request.line(b"origin") if request.repeated else request.fields.get(b"origin")
    private = status >= 400 or decision.principal is not ANONYMOUS
    scheme = "https" if force.scheme and force.says_secure(request) else request.scheme
    limited = len(decision.verdicts or decision.wants) > 0
    name = decision.plan.route, origin, private, scheme, limited, decision.preflight is None
    return force.heads.get(name) or force.heads.keep(name, _head(decision, origin, private, scheme, limited))


def _head(decision: Decision, origin: bytes | None, private: bool, scheme: str, limited: bool) -> Head:
    """Put together the lines that depend on nothing but these; a preflight brings its own answer to the origin."""
    force, plan = decision.force, decision.plan
    security = force.plans.headers[plan.headers]
    cors = None if decision.preflight is not None else force.cors(plan)
    grant = () if cors is None else cors.grant(origin, limited=limited)
    return security.ending(private=private), (*security.lines(secure=scheme in _SECURE, private=private), *grant)


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


def finish_own(decision: Decision, request: Request, response: Response) -> list[Header]:
    """Give the header lines of an answer of Garrison's own, with exactly one length.

    A 204 and a 304 have none (RFC 9110 section 8.6): two lengths, or one that is not the body's, let whoever
    believes the other read the rest as another answer.
    """
    lines = [line for line in response.headers if line[0] != b"content-length"]
    if response.status not in _WITHOUT_BODY:
        lines.append((b"content-length", b"%d" % len(response.body)))
    return finish(decision, request, response.status, lines)


_WITHOUT_BODY = frozenset((204, 304))
