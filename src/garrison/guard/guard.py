"""The one path every request takes; read `Guard._path` downwards.

Each step gives the next fact or a `Refusal`; there are no callbacks, no exceptions for refusals, and no step
reaches back. Adapters translate a request in and a decision out, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from garrison.errors import StoreError
from garrison.guard.content import check_body, is_json, refused
from garrison.guard.decision import Decision
from garrison.guard.endpoints import run_endpoint
from garrison.guard.finish import withheld
from garrison.guard.steps.permit import permit
from garrison.guard.steps.present import present
from garrison.guard.respond import problem
from garrison.guard.steps.site import answer_preflight, cross_site
from garrison.guard.steps.spend import address_asks, principal_asks, spend
from garrison.guard.steps.target import locate, served
from garrison.model.principal import OwnershipProof, Principal
from garrison.model.refusal import Refusal, refuse
from garrison.model.scope import effective

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.guard.force import InForce
    from garrison.guard.steps.present import Found
    from garrison.model.clock import Clock
    from garrison.model.request import Request
    from garrison.model.response import Response
    from garrison.stores.protocols import Counters

__all__ = ["Guard"]


class Guard:
    """Decides about requests; one for a process and a way of waiting (awaited or driven)."""

    def __init__(
        self,
        force: InForce,
        counters: Counters,
        clock: Clock,
        correlate: Callable[[], str],
        record: Callable[[Request, Decision, int], None],
    ) -> None:
        """Put the guard together.

        Args:
            force: The policy in force; assign another to `force` to change it in one step.
            counters: Where limits are spent.
            clock: Wall time for expiry, monotonic time for the freshness of what is remembered.
            correlate: Names a request; never twice the same.
            record: Told of every decision; must neither wait nor raise.
        """
        self.force = force
        self._counters = counters
        self._clock = clock
        self._correlate = correlate
        self._record = record

    async def decide(self, request: Request) -> Decision:
        """Judge one request. Never raises for anything a caller can send.

        Returns:
            The decision; when it has an `answer`, that is what to send, else the request may go on.
        """
        now = self._clock.wall()
        decision = Decision(self.force, self._correlate())
        try:
            await self._path(request, decision, now)
        except StoreError as fault:
            decision.refusal = _unavailable(fault)
        if decision.refusal is not None:
            decision.answer = problem(decision.refusal, decision.correlation)
        self._record(request, decision, now)
        return decision

    async def _path(self, request: Request, decision: Decision, now: int) -> None:
        # 0: whom we serve, and who asks
        if decision.stops(served(request, decision)):
            return
        # 1: a preflight ends here, known route or not; it carries no credential and reaches no handler
        if request.method == "OPTIONS" and answer_preflight(request, decision):
            return
        # 2: the plan
        if decision.stops(locate(request, decision)):
            return
        plan = decision.plan
        # 3: what the address may still spend
        if plan.before and decision.stops(await spend(self._counters, address_asks(plan, decision), decision)):
            return
        # 4, 5, 6: find the credential, fetch its record, believe it
        if (decision.accepted or not plan.public) and decision.stops(await self._believe(request, decision, now)):
            return
        # 7: what the principal may; it pays for a refusal too
        refusal = permit(plan, decision.principal, now) or cross_site(request, decision)
        # 8: what the principal may still spend
        if (plan.after or decision.principal.asks) and decision.stops(await spend(self._counters, principal_asks(plan, decision), decision)):
            return
        if not decision.stops(refusal):
            self._admit(decision, now)

    async def _believe(self, request: Request, decision: Decision, now: int) -> Refusal | None:
        found = present(decision.accepted, request, decision.plan)
        if type(found) is Refusal:
            return found
        believed: list[Principal] = []
        for credential, presented in found:
            principal = await credential.believe(
                presented, request, decision.address, decision.plan, now, self._clock.monotonic()
            )
            if type(principal) is Refusal:
                return principal
            believed.append(principal)
        if len(believed) == 1:
            decision.principal = believed[0]
        elif believed:
            decision.principal = _together(found, believed)
        return None

    def _admit(self, decision: Decision, now: int) -> None:
        """Note that every check has passed."""
        principal, plan = decision.principal, decision.plan
        for credential in decision.accepted:
            credential.used(principal, plan.route, now)
        if plan.own:
            decision.principal = msgspec.structs.replace(principal, proof=OwnershipProof())

    def judges_body(self, request: Request, decision: Decision) -> bool:
        """Tell whether the whole body is wanted before the request may go on: for an endpoint, a schema, JSON."""
        plan = decision.plan
        return plan.endpoint is not None or plan.body is not None or is_json(request)

    async def take_body(self, request: Request, decision: Decision, body: bytes | Refusal) -> None:
        """Judge a whole body, and answer when the endpoint is Garrison's own.

        Args:
            request: What it came with.
            decision: Gets the answer if the body is refused or the endpoint has run.
            body: All of it, or the refusal it earned on the way in.
        """
        now = self._clock.wall()
        mounted = decision.plan.endpoint
        if mounted is None:
            refusal = body if type(body) is Refusal else refused(check_body(decision, request, body))
            # A body that was never whole cannot go on, whatever is only observed.
            if refusal is not None and (type(body) is Refusal or decision.stops(refusal)):
                self._end(request, decision, refusal, now)
            return
        try:
            answer = await run_endpoint(mounted, request, decision, body, now)
        except StoreError as fault:
            answer = _unavailable(fault)
        if type(answer) is Refusal:
            self._end(request, decision, answer, now)
        else:
            decision.answer = answer

    def _end(self, request: Request, decision: Decision, refusal: Refusal, now: int) -> None:
        decision.refusal = refusal
        decision.answer = problem(refusal, decision.correlation)
        self._record(request, decision, now)

    def withhold(self, request: Request, decision: Decision, status: int) -> Response | None:
        """Give the answer that must replace the application's, or None to let it pass; see `finish.withheld`."""
        refusal = withheld(decision, status)
        if refusal is None:
            return None
        if refusal.code != "not_found":
            decision.refusal = refusal
            self._record(request, decision, self._clock.wall())
        return problem(refusal, decision.correlation)

    async def release(self, decision: Decision) -> None:
        """Give back what concurrency limits hold, once the answer is out."""
        held = [
            ask._replace(lease=verdict.lease)
            for ask, verdict in zip(decision.asks, decision.verdicts, strict=True)
            if verdict.lease
        ]
        if held:
            await self._counters.release(held)

    async def still_allowed(self, request: Request, decision: Decision) -> bool:
        """Tell whether an open connection may stay: its route, its credential and its rights, judged anew.

        Nothing is spent. Whatever cannot be told ends the connection.
        """
        now = self._clock.wall()
        again = Decision(self.force, decision.correlation)
        again.address = decision.address
        try:
            if again.stops(locate(request, again)) or again.stops(await self._believe(request, again, now)):
                return False
        except StoreError:
            return False
        return not again.stops(permit(again.plan, again.principal, now)) and again.principal.id == decision.principal.id


def _together(found: Found, believed: list[Principal]) -> Principal:
    """Put a key and a token together: the key names the app, the token the user; rights are what both have."""
    by_kind = {presented.kind: principal for (_, presented), principal in zip(found, believed, strict=True)}
    user = by_kind.get("jwt", believed[-1])
    app = by_kind.get("key", believed[0])
    return msgspec.structs.replace(user, app=app, scopes=effective(user.scopes, app.scopes))


def _unavailable(fault: StoreError) -> Refusal:
    """Unknown is refused, in observe mode too: whoever can stall a store must gain nothing by it."""
    return refuse("store_unavailable", f"store:{fault}", headers=((b"retry-after", b"1"),))
