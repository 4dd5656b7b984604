"""Steps 0 to 7 at once, for a request like one that has passed them a moment ago.

Most requests repeat another: the same caller, route and credential. What the steps found then, they would find
again, since it is remembered by everything that they look at. Three things are asked anew: whether the blocks are
still the same, whether the head is within its caps, and whether the credential still stands. Limits are never skipped.

Only what passed is remembered, and only for credentials that can say whether they still stand: keys without
restrictions, and tokens, whose signature is checked anew unless it is cached. The memory holds digests of them, so
that a copy of it holds nothing that could be presented, and it goes with the policy that it was found under.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING

from garrison.credentials.protocol import Presented
from garrison.guard.decision import Decision
from garrison.guard.finish import head
from garrison.guard.steps.target import heavy

if TYPE_CHECKING:
    from garrison.guard.force import InForce
    from garrison.model.http.request import Request

__all__ = ["recall", "remember"]

_TARGET = attrgetter("method", "scheme", "path", "raw_path", "query", "peer")


def recall(request: Request, force: InForce, correlation: str, now: int, monotonic: int) -> Decision | None:
    """Give what the steps would decide, ready for step 8; None: take them.

    Args:
        request: What was asked.
        force: The policy in force.
        correlation: Names the request.
        now: Wall microseconds.
        monotonic: Monotonic microseconds.
    """
    field, name = _name(request, force)
    known = force.passed.get(name)
    if known is None:
        return None
    credential, lasting, epoch, facts = known
    if epoch != force.blocked.epoch or heavy(request.fields, force):
        return None
    if not credential.stands(lasting, field, now, monotonic):
        return None
    return Decision(force, correlation, *facts)


def remember(request: Request, decision: Decision) -> None:
    """Keep what a request has passed, if the next one like it passes for certain."""
    force, found, plan = decision.force, decision.found, decision.plan
    if not decision.plain or decision.observed or plan.before or len(found) != 1:
        return
    credential, presented = found[0]
    lasting = credential.lasting(presented)
    _, name = _name(request, force)
    if lasting is None or not name or request.method == "OPTIONS":
        return
    facts = (
        plan,
        decision.address,
        decision.parameters,
        decision.accepted,
        True,
        ((credential, Presented(credential.kind, "", "")),),
        decision.principal,
        decision.wants,
        None if force.scheme else head(decision, request, 200),
    )
    force.passed.keep(name, (credential, lasting, decision.epoch, facts))


def _name(request: Request, force: InForce) -> tuple[bytes, tuple[object, ...]]:
    """Give the credential's field, and a name for the request by everything that the steps look at.

    The name is empty where they look at more, such as at two credentials.
    """
    fields = request.fields
    key, line = fields.get(force.key), fields.get(b"authorization")
    field = line if key is None else key
    if field is None or request.repeated or (line is not None and (key is not None or not force.lasts)):
        return b"", ()
    return field, (
        *_TARGET(request),
        fields.get(b"host"),
        fields.get(force.believed),
        fields.get(b"origin"),
        key is None,
        blake2b(field).digest(),
    )
