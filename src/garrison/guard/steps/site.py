"""Step 1 and half of step 7: what a page of another origin may ask, and what it may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.cors.explain import explain
from garrison.cors.site import cross_site_write, foreign_handshake, is_ambient
from garrison.cors.tally import printable
from garrison.model.http.refusal import refuse
from garrison.model.http.response import Response
from garrison.model.principal import ANONYMOUS

if TYPE_CHECKING:
    from garrison.cors.answer import Cors
    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Request

__all__ = ["answer_preflight", "cross_site"]


def answer_preflight(request: Request, decision: Decision) -> bool:
    """Answer the request if it is a preflight; tell whether it was (Fetch, CORS-preflight fetch).

    In observe mode a path without a CORS policy leaves its preflights to the application.
    """
    method = request.fields.get(b"access-control-request-method")
    if method is None or b"origin" not in request.fields:
        return False
    cors = decision.force.plans.cors_for(request.path, method.decode("latin-1"))
    if cors is None:
        return decision.stops(refuse("cors_refused", "no_cors_policy"))
    asked = request.line(b"access-control-request-headers")
    answer = cors.preflight(request.line(b"origin") or b"", method, asked)
    decision.preflight = tuple(line for line in answer.headers if line[0] != b"content-length")
    if answer.status == 403:
        decision.refusal = refuse("cors_refused", answer.reason, members=_why(request, decision, cors))
    else:
        decision.answer = Response(answer.status)
    return True


def _why(request: Request, decision: Decision, cors: Cors) -> dict[str, str]:
    """Tell whoever develops a page what the policy lacks; in production nobody is told."""
    if decision.force.plans.policy.environment != "development":
        return {}
    origin, method, asked = (
        (request.line(name) or b"").decode("latin-1")
        for name in (b"origin", b"access-control-request-method", b"access-control-request-headers")
    )
    told = explain(cors, origin, method, [name.strip() for name in asked.split(",") if name.strip()])
    return {"policy": f"{printable(origin.encode('latin-1'))}: {told.text}."}


def cross_site(request: Request, decision: Decision) -> Refusal | None:
    """Refuse what a page of another site made the browser send, where the browser adds authority by itself.

    A key or a token in a header is never ambient: no page can make a browser add one. A route that sets a
    cookie is judged too, because logging somebody in to the attacker's account is an attack; there a request
    with no evidence at all comes from no browser, and passes.
    """
    plan = decision.plan
    origin = request.line(b"origin")
    if request.method == "WS":
        ambient = _ambient(request, decision)
        reason = foreign_handshake(origin, decision.force.served, decision.force.cors(plan), ambient=ambient)
    elif plan.sets_cookie or _ambient(request, decision):
        site = request.line(b"sec-fetch-site")
        cors = decision.force.cors(plan)
        reason = cross_site_write(request.method, origin, site, decision.force.served, cors)
        if not _ambient(request, decision) and (reason == "no_evidence" or (cors is not None and cors.allows(origin))):
            # No browser, or a listed page that logs its own user in; its preflight and the JSON body prove the rest.
            reason = ""
    else:
        return None
    return refuse("cross_site", reason) if reason else None


def _ambient(request: Request, decision: Decision) -> bool:
    """Tell whether what was believed is something a browser adds by itself; only an application's own may be."""
    if decision.principal is ANONYMOUS or all(presented.kind != "custom" for _, presented in decision.found):
        return False
    return is_ambient(request.fields.get(b"cookie"), request.fields.get(b"authorization"))
