"""Steps 0 to 2: whom we serve, who asks, and for which route; a preflight ends here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.decision import Decision
from garrison.guard.steps.site import answer_preflight
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.net import canonical, client_address

if TYPE_CHECKING:
    from garrison.guard.force import InForce
    from garrison.model.http.request import Request

__all__ = ["arrive", "heavy", "locate"]


def arrive(request: Request, force: InForce, correlation: str, now: int) -> Decision:
    """Take the pure steps, before anything is spent or looked up; a decision with a refusal or an answer ends here.

    What they found is remembered by everything it depends on. The caps are not: other fields and queries differ.
    """
    fields = request.fields
    name = request.method, request.path, request.raw_path, request.peer, fields.get(b"host"), fields.get(force.believed)
    known = force.arrivals.get(name)
    # Read before the blocks are: if they change meanwhile, what is remembered is stale from birth.
    epoch = force.blocked.epoch
    if known is None or request.repeated or len(request.query) > force.query:
        decision = _arrive(request, Decision(force, correlation, force.unknown), name, now)
    else:
        decision = Decision(force, correlation, *known)
        if not decision.stops(_shut_out(decision, now)) and heavy(fields, force):
            decision.stops(_too_large())
    decision.epoch = epoch
    return decision


def _arrive(request: Request, decision: Decision, name: tuple[object, ...], now: int) -> Decision:
    # 0: whom we serve and who asks
    force = decision.force
    if decision.stops(_served(request, decision, now)):
        return decision
    # 1: a preflight carries no credential and reaches no handler, known route or not
    if request.method == "OPTIONS" and answer_preflight(request, decision):
        return decision
    # 2: the plan
    stopped = decision.stops(locate(request, decision))
    if not (stopped or decision.observed or request.repeated or request.method == "OPTIONS"):
        known = decision.plan, decision.address, decision.parameters, decision.accepted, decision.plain
        force.arrivals.keep(name, known)
    return decision


def _served(request: Request, decision: Decision, now: int) -> Refusal | None:
    """Find out who asks, and refuse whoever is shut out, a host that is not served, or a head over its caps."""
    force = decision.force
    if force.proxied:
        lines = request.lines(force.header)
        decision.address = client_address(request.peer, lines, force.trusted, force.header_name, force.hops).address
    else:
        decision.address = canonical(request.peer)
    shut_out = _shut_out(decision, now)
    if shut_out is not None:
        return shut_out
    if not force.hosts.serve(request):
        return refuse("host_unknown", "host_unknown")
    # As sent: decoding makes a path shorter, and what reads it next may decode it no sooner.
    if len(request.query) > force.query or max(len(request.path), len(request.raw_path)) > force.path:
        return refuse("target_too_long", "target_too_long")
    headers = request.headers
    if len(headers) > force.header_count or sum([len(n) + len(v) for n, v in headers]) > force.header_bytes:
        return _too_large()
    return None


def _shut_out(decision: Decision, now: int) -> Refusal | None:
    force = decision.force
    return force.blocked.refusal(decision.address, force.lists, now)


def heavy(fields: dict[bytes, bytes], force: InForce) -> bool:
    """Tell whether a head in which no name is repeated is over its caps; joining costs less than adding up."""
    return len(fields) > force.header_count or len(b"".join([*fields, *fields.values()])) > force.header_bytes


def _too_large() -> Refusal:
    return refuse("headers_too_large", "headers_too_large")


def locate(request: Request, decision: Decision) -> Refusal | None:
    """Find the plan, and who can believe what it accepts."""
    found = decision.force.plans.find(request.method, request.path, request.raw_path)
    if isinstance(found, Refusal):
        return found
    plan = found.plan
    decision.plan, decision.parameters = found
    decision.accepted = accepted = decision.force.accepted(plan)
    decision.plain = not (plan.fresh or plan.methods or plan.sets_cookie) and not (
        request.method == "WS" or any(credential.kind == "custom" for credential in accepted)
    )
    return None
