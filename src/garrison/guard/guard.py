"""The one path every request takes; read `steps.target.arrive` and `Guard._judged` downwards.

Each step gives the next fact or a `Refusal`; there are no callbacks, no exceptions for refusals, and no step
reaches back. Adapters translate a request in and a decision out, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from garrison.errors import StoreError
from garrison.guard.content import check_body, is_json, refused
from garrison.guard.decision import Decision
from garrison.guard.endpoints import run_endpoint
from garrison.guard.finish import withheld
from garrison.guard.respond import problem
from garrison.guard.steps.permit import permit
from garrison.guard.steps.present import present
from garrison.guard.steps.site import cross_site
from garrison.guard.steps.spend import address_asks, principal_asks, spent
from garrison.guard.steps.target import arrive, locate
from garrison.model.principal import ANONYMOUS, OwnershipProof
from garrison.model.refusal import Refusal, refuse
from garrison.model.scope import effective

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.credentials.protocol import Presented
    from garrison.guard.force import InForce
    from garrison.model.clock import Clock
    from garrison.model.principal import Principal
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
            record: Told of every refusal, observed ones included; must neither wait nor raise.
        """
        self.force = force
        self._counters = counters
        self._take = counters.take
        # Counters in memory answer at once; a coroutine for it would cost as much as the answer.
        self._take_now = getattr(counters, "take_now", None)
        self._wall = clock.wall
        self._monotonic = clock.monotonic
        self._correlate = correlate
        self._record = record

    async def decide(self, request: Request) -> Decision:
        """Judge one request. Never raises for anything a caller can send.

        Returns:
            The decision; when it has an `answer`, that is what to send, else the request may go on.
        """
        decision = Decision(self.force, self._correlate())
        try:
            # 0, 1, 2: whom we serve and who asks; a preflight, which ends here; the plan
            if not arrive(request, decision):
                await self._judged(request, decision)
        except StoreError as fault:
            decision.refusal = _unavailable(fault)
        if decision.refusal is not None:
            decision.answer = problem(decision.refusal, decision.correlation)
        if decision.refusal is not None or decision.observed:
            self._record(request, decision, self._wall())
        return decision

    async def _judged(self, request: Request, decision: Decision) -> None:
        """Take the steps that spend, look up and permit."""
        plan, now = decision.plan, self._wall()
        # 3: what the address may still spend
        if plan.before:
            asks = address_asks(decision)
            refusal = spent(decision, asks, self._take_now(asks) if self._take_now else await self._take(asks))
            if refusal is not None and decision.stops(refusal):
                return
        # 4, 5, 6: find the credential, fetch its record, believe it
        if decision.accepted or not plan.public:
            refusal = await self._believed(request, decision, now)
            if refusal is not None and decision.stops(refusal):
                return
        # 7: what the principal may; it pays for a refusal too
        denied = permit(plan, decision.principal, now) or cross_site(request, decision)
        # 8: what the principal may still spend
        if plan.after or decision.principal.asks:
            asks = principal_asks(decision)
            refusal = spent(decision, asks, self._take_now(asks) if self._take_now else await self._take(asks))
            if refusal is not None and decision.stops(refusal):
                return
        if denied is None or not decision.stops(denied):
            _admit(decision, now)

    async def _believed(self, request: Request, decision: Decision, now: int) -> Refusal | None:
        found = present(decision.accepted, request, decision.plan)
        if type(found) is Refusal:
            return found
        decision.found = found
        for credential, presented in found:
            principal = await credential.believe(
                presented, request, decision.address, decision.plan, now, self._monotonic()
            )
            if isinstance(principal, Refusal):
                return principal
            decision.principal = _together(decision.principal, principal, presented)
        return None

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
        now = self._wall()
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
            self._record(request, decision, self._wall())
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
        now = self._wall()
        again = Decision(self.force, decision.correlation)
        again.address = decision.address
        try:
            if again.stops(locate(request, again)) or again.stops(await self._believed(request, again, now)):
                return False
        except StoreError:
            return False
        return not again.stops(permit(again.plan, again.principal, now)) and again.principal.id == decision.principal.id


def _admit(decision: Decision, now: int) -> None:
    """Note that every check has passed."""
    principal, plan = decision.principal, decision.plan
    for credential, _ in decision.found:
        credential.used(principal, plan.route, now)
    if plan.own:
        decision.principal = replace(principal, proof=OwnershipProof())


def _together(first: Principal, second: Principal, presented: Presented) -> Principal:
    """Put a key and a token together: the key names the app, the token the user; rights are what both have."""
    if first is ANONYMOUS:
        return second
    user, app = (second, first) if presented.kind == "jwt" else (first, second)
    return replace(user, app=app, scopes=effective(user.scopes, app.scopes))


def _unavailable(fault: StoreError) -> Refusal:
    """Unknown is refused, in observe mode too: whoever can stall a store must gain nothing by it."""
    return refuse("store_unavailable", f"store:{fault}", headers=((b"retry-after", b"1"),))
