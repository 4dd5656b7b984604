"""Steps 0 and 2: whom we serve, who asks, and for which route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.model.net import client_address
from garrison.model.refusal import Refusal, refuse

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.request import Request

__all__ = ["locate", "served"]


def served(request: Request, decision: Decision) -> Refusal | None:
    """Find out who asks, and refuse a host that is not served or header fields over their caps."""
    force = decision.force
    seen = client_address(request.peer, request.lines(force.header), force.trusted, force.header_name, force.hops)
    decision.address = seen.address
    if not force.hosts.serve(request):
        return refuse("host_unknown", "host_unknown")
    if len(request.headers) > force.header_count or _header_bytes(request) > force.header_bytes:
        return refuse("headers_too_large", "headers_too_large")
    if len(request.query) > force.query or len(request.path) > force.path:
        return refuse("target_too_long", "target_too_long")
    return None


def _header_bytes(request: Request) -> int:
    if request.repeated:
        return sum([len(name) + len(value) for name, value in request.headers])
    fields = request.fields
    return sum(map(len, fields)) + sum(map(len, fields.values()))


def locate(request: Request, decision: Decision) -> Refusal | None:
    """Find the plan; what it accepts and whether it only observes come with it."""
    force = decision.force
    found = force.plans.find(request.method, request.path, request.raw_path)
    if type(found) is Refusal:
        return found
    decision.plan = plan = found.plan
    decision.parameters = found.parameters
    decision.observe = decision.observe or plan.observe
    decision.accepted = force.accepted(plan)
    return None
