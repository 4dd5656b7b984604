"""Steps 0 to 2: whom we serve, who asks, and for which route; a preflight ends here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.guard.steps.site import answer_preflight
from garrison.model.net import canonical, client_address
from garrison.model.refusal import Refusal, refuse

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.guard.force import InForce
    from garrison.model.request import Request

__all__ = ["arrive", "locate"]


def arrive(request: Request, decision: Decision) -> bool:
    """Take the pure steps, before anything is spent or looked up; tell whether the request ends with them.

    What they found is remembered by everything it depends on. The caps are not: other fields differ.
    """
    force = decision.force
    name = request.method, request.path, request.raw_path, request.peer, request.fields.get(b"host")
    known = force.arrivals.get(name)
    if known is None or request.repeated or request.query or force.proxied:
        return _arrive(request, decision, name)
    decision.address, decision.plan, decision.parameters, decision.accepted = known
    return _too_much(request, force) and decision.stops(_too_large())


def _arrive(request: Request, decision: Decision, name: tuple[object, ...]) -> bool:
    # 0: whom we serve and who asks
    force = decision.force
    if decision.stops(_served(request, decision)):
        return True
    # 1: a preflight carries no credential and reaches no handler, known route or not
    if request.method == "OPTIONS":
        return answer_preflight(request, decision) or decision.stops(locate(request, decision))
    # 2: the plan
    if decision.stops(locate(request, decision)):
        return True
    if not (request.repeated or force.proxied or decision.observe):
        force.arrivals.keep(name, (decision.address, decision.plan, decision.parameters, decision.accepted))
    return False


def _served(request: Request, decision: Decision) -> Refusal | None:
    """Find out who asks, and refuse a host that is not served or a head over its caps."""
    force = decision.force
    if force.proxied:
        lines = request.lines(force.header)
        decision.address = client_address(request.peer, lines, force.trusted, force.header_name, force.hops).address
    else:
        decision.address = canonical(request.peer)
    if not force.hosts.serve(request):
        return refuse("host_unknown", "host_unknown")
    if len(request.query) > force.query or len(request.path) > force.path:
        return refuse("target_too_long", "target_too_long")
    return _too_large() if _too_much(request, force) else None


def _too_much(request: Request, force: InForce) -> bool:
    headers = request.headers
    if len(headers) > force.header_count:
        return True
    fields = request.fields
    if len(fields) == len(headers):
        return len(b"".join(fields)) + len(b"".join(fields.values())) > force.header_bytes
    return sum([len(name) + len(value) for name, value in headers]) > force.header_bytes


def _too_large() -> Refusal:
    return refuse("headers_too_large", "headers_too_large")


def locate(request: Request, decision: Decision) -> Refusal | None:
    """Find the plan; what it accepts and whether it only observes come with it."""
    force = decision.force
    found = force.plans.find(request.method, request.path, request.raw_path)
    if isinstance(found, Refusal):
        return found
    decision.plan, decision.parameters = found
    decision.accepted = force.accepted(found.plan)
    decision.observe = decision.observe or found.plan.observe
    return None
