"""The one path every request takes; read `steps.target.arrive` and `Guard._judged` downwards.

Each step gives the next fact or a `Refusal`; there are no callbacks, no exceptions for refusals, and no step
reaches back. Adapters translate a request in and a decision out, and nothing else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from garrison.errors import StoreError
from garrison.guard.challenge import challenged
from garrison.guard.content import check_body, check_length, check_type, is_json, refused
from garrison.guard.decision import Decision
from garrison.guard.endpoints import run_endpoint
from garrison.guard.finish import withheld
from garrison.guard.respond import problem
from garrison.guard.steps.permit import permit
from garrison.guard.steps.present import present
from garrison.guard.steps.recall import recall, remember
from garrison.guard.steps.site import cross_site
from garrison.guard.steps.spend import address_asks, dearer, principal_asks, spent
from garrison.guard.steps.target import arrive, locate
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.principal import ANONYMOUS, OwnershipProof
from garrison.model.scope import effective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.credentials.protocol import Presented
    from garrison.guard.force import InForce
    from garrison.limits import Ask, Verdict
    from garrison.model.clock import Clock
    from garrison.model.http.request import Request
    from garrison.model.http.response import Response
    from garrison.model.principal import Principal
    from garrison.stores.protocols import Counters

__all__ = ["Guard"]

_log = logging.getLogger("garrison.guard")


class Guard:
    """Decides about requests; one for a process and a way of waiting (awaited or driven)."""

    def __init__(
        self,
        force: InForce,
        counters: Counters,
        clock: Clock,
        correlate: Callable[[], str],
        record: Callable[[Request, Decision, int], None],
        seen: Callable[[Decision, int], None],
    ) -> None:
        """Put the guard together.

        Args:
            force: The policy in force; assign another to `force` to change it in one step.
            counters: Where limits are spent.
            clock: Wall time for expiry, monotonic time for the freshness of what is remembered.
            correlate: Names a request; never twice the same.
            record: Told of every refusal, observed ones included; must neither wait nor raise.
            seen: Told of who was believed and may do what is asked, unless that is remembered; likewise.
        """
        self.force = force
        self.load = 0.0
        """How busy the service is, from 0 to 1, as whoever serves with this guard tells it."""

        self._counters = counters
        self._take = counters.take
        # Counters in memory answer at once; a coroutine for it would cost as much as the answer.
        self._take_now: Callable[[Sequence[Ask]], Sequence[Verdict]] = getattr(counters, "take_now", _nothing_at_once)
        self._wall = clock.wall
        self._monotonic = clock.monotonic
        self._correlate = correlate
        self._record = record
        self._seen = seen

    async def decide(self, request: Request) -> Decision:
        """Judge one request. Never raises for anything a caller can send.

        Returns:
            The decision; when it has an `answer`, that is what to send, else the request may go on.
        """
        force, correlation, now = self.force, self._correlate(), self._wall()
        decision: Decision | None = None
        try:
            # 0, 1, 2: whom we serve and who asks; a preflight, which ends here; the plan
            decision = recall(request, force, correlation, now, self._monotonic())
            recalled = decision is not None
            if decision is None:
                decision = arrive(request, force, correlation, now)
                # 3 to 7, unless a request like this has passed them a moment ago
                if await self._judged(request, decision, now):
                    return self._ended(request, decision, now)
            # 8: what the principal may still spend
            asks = dearer(decision, self.load) if self.load else decision.wants
            if asks:
                refusal = spent(decision, asks, self._take_now(asks) or await self._take(asks))
                if refusal is not None and decision.stops(refusal):
                    return self._ended(request, decision, now)
            # 9: what was refused at 7 has paid and ends here; so does a credential without a use left
            if not recalled and (decision.stops(decision.denied) or decision.stops(await self._use(decision))):
                return self._ended(request, decision, now)
        except Exception as fault:
            decision = decision or Decision(force, correlation, force.unknown)
            decision.refusal = _failed(fault, correlation)
            return self._ended(request, decision, now)
        for credential, _ in decision.found:
            credential.used(decision.principal, now)
        if decision.plan.own:
            decision.principal = replace(decision.principal, proof=OwnershipProof())
        return self._ended(request, decision, now) if decision.observed else decision

    async def _judged(self, request: Request, decision: Decision, now: int) -> bool:
        """Take the steps that look up and permit; tell whether the request ends with them."""
        if decision.refusal is not None or decision.answer is not None:
            return True
        plan = decision.plan
        # 3: what the address may still spend
        if plan.before:
            asks = address_asks(decision, self.load)
            if decision.stops(spent(decision, asks, self._take_now(asks) or await self._take(asks))):
                return True
        # 4, 5, 6: find the credential, fetch its record, believe it
        if decision.stops(await self._believed(request, decision, now)):
            return True
        # 7: what the principal may; it pays for a refusal too
        principal = decision.principal
        if not (decision.plain and principal.scopes.issuperset(plan.scopes)):
            decision.denied = permit(plan, principal, now) or cross_site(request, decision)
        if plan.after or principal.asks:
            decision.wants = principal_asks(decision)
        if decision.denied is None:
            self._seen(decision, now)
            remember(request, decision)
        return False

    async def _believed(self, request: Request, decision: Decision, now: int) -> Refusal | None:
        """Find who acts, or why nobody is believed."""
        found = present(request, decision)
        if type(found) is Refusal:
            return found
        for credential, presented in found:
            principal = await credential.believe(
                presented, request, decision.address, decision.plan, now, self._monotonic()
            )
            if type(principal) is Refusal:
                return principal
            decision.principal = _together(decision.principal, principal, presented) if len(found) > 1 else principal
        return None

    async def _use(self, decision: Decision) -> Refusal | None:
        """Spend a use of every credential, after all that is judged by the head, so that no other refusal costs one.

        The body is judged behind it: whoever sends a bad one has used the key.
        """
        for credential, _ in decision.found:
            refusal = await credential.spend(decision.principal)
            if refusal is not None:
                return refusal
        return None

    def _ended(self, request: Request, decision: Decision, now: int) -> Decision:
        """Answer what was refused, and record it and what was only observed, once."""
        if decision.refusal is not None:
            decision.refusal = challenged(decision.refusal, request, decision)
            decision.answer = problem(decision.refusal, decision.correlation)
        if decision.refusal is not None or decision.observed:
            self._record(request, decision, now)
            decision.observed = ()
        return decision

    def turns_away(self, request: Request, decision: Decision, refusal: Refusal) -> bool:
        """Refuse what the adapter has no room for; tell whether the request ends with that."""
        decision.stops(refusal)
        return self._ended(request, decision, self._wall()).answer is not None

    def refuses_body(self, request: Request, decision: Decision) -> bool:
        """Judge a body by its head, before a byte of it is read; tell whether the request ends with that."""
        plan = decision.plan
        # A length that cannot be told, or is too large, cannot be let on, whatever is only observed.
        decision.refusal = check_length(request, plan.max_body)
        if decision.refusal is None:
            decision.stops(check_type(request, plan))
        return self._ended(request, decision, self._wall()).answer is not None

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
            if type(body) is Refusal:
                # A body that was never whole cannot go on, whatever is only observed.
                decision.refusal = body
            else:
                decision.stops(refused(check_body(decision, request, body)))
            self._ended(request, decision, now)
            return
        try:
            answer = await run_endpoint(mounted, request, decision, body, now)
        except Exception as fault:
            answer = _failed(fault, decision.correlation)
        if type(answer) is Refusal:
            decision.refusal = answer
            self._ended(request, decision, now)
        else:
            decision.answer = answer

    def withhold(self, request: Request, decision: Decision, status: int) -> Response | None:
        """Give the answer that must replace the application's, or None to let it pass; see `finish.withheld`."""
        refusal = withheld(decision, status)
        if refusal is None:
            return None
        if refusal.code != "not_found":
            decision.refusal = refusal
            self._record(request, decision, self._wall())
        return problem(refusal, decision.correlation)

    def note(self, request: Request, decision: Decision, refusal: Refusal) -> None:
        """Record what was refused after the request had gone on: a message of an open connection."""
        decision.refusal = refusal
        self._record(request, decision, self._wall())

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
        force = self.force
        again = Decision(force, decision.correlation, force.unknown, decision.address)
        if again.stops(force.blocked.refusal(decision.address, force.lists, now)):
            return False
        try:
            if again.stops(locate(request, again)) or again.stops(await self._believed(request, again, now)):
                return False
        except StoreError:
            return False
        return not again.stops(permit(again.plan, again.principal, now)) and again.principal.id == decision.principal.id


def _nothing_at_once(_: Sequence[Ask]) -> Sequence[Verdict]:
    """Stand for counters that must be waited for."""
    return ()


def _together(first: Principal, second: Principal, presented: Presented) -> Principal:
    """Put a key and a token together: the key names the app, the token the user; rights are what both have."""
    if first is ANONYMOUS:
        return second
    user, app = (second, first) if presented.kind == "jwt" else (first, second)
    return replace(user, app=app, scopes=effective(user.scopes, app.scopes))


def _failed(fault: Exception, correlation: str) -> Refusal:
    """Unknown is refused, in observe mode too: whoever can stall a store, or upset us, must gain nothing by it."""
    if not isinstance(fault, StoreError):
        _log.error("the guard failed; correlation %s", correlation, exc_info=fault)
        return refuse("internal_error", "guard")
    return refuse("store_unavailable", f"store:{fault}", headers=((b"retry-after", b"1"),))
