"""Refusals on their way to the journal: noted in memory while a request is answered, written behind by a job."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from garrison.admin.refusals import Refusals
from garrison.audit.codes import refused
from garrison.audit.recorder import Recorder
from garrison.cors.tally import printable
from garrison.model.event import Event
from garrison.model.metric import Metric, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.guard.decision import Decision
    from garrison.model.http.refusal import Refusal
    from garrison.model.http.request import Request
    from garrison.stores.protocols import Journal

__all__ = ["FLUSH", "MOST_WAITING", "Recording"]

FLUSH = 200_000
"""Microseconds between two writes."""

MOST_WAITING = 10_000
"""Events that wait while the journal cannot be written; then the oldest go, and an event says how many."""


class Recording:
    """What one process has to tell the journal."""

    def __init__(self, each: int, suspect: Callable[[Request, Decision, Refusal, int], None]) -> None:
        """Begin with nothing to tell.

        Args:
            each: Refusals of one subject and reason in a minute that are a record each.
            suspect: Told of every refusal and its instant, to judge who caused it.
        """
        self._suspect = suspect
        self._recorder = Recorder(each)
        self._waiting: deque[Event] = deque(maxlen=MOST_WAITING)
        self._lost = 0
        self._lost_ever = 0
        self._refusals = Refusals()

    def __call__(self, request: Request, decision: Decision, now: int) -> None:
        """Note a decision; one that refuses nothing needs no record, the use of keys is counted elsewhere."""
        route = decision.plan.route
        if decision.refusal is not None:
            self._refusals.note(decision.refusal, route, observed=False)
            self._suspect(request, decision, decision.refusal, now)
            self._note(_event(request, decision, decision.refusal, now, "refused"))
        for refusal in decision.observed:
            self._refusals.note(refusal, route, observed=True)
            self._suspect(request, decision, refusal, now)
            self._note(_event(request, decision, refusal, now, "success"))

    def change(self, each: int) -> None:
        """Write other numbers of records one by one from the next refusal on."""
        self._recorder.change(each)

    def add(self, event: Event) -> None:
        """Note an event of the runtime's own."""
        self._note(event)

    def _note(self, event: Event) -> None:
        for record in self._recorder.take(event):
            full = len(self._waiting) == MOST_WAITING
            self._lost += full
            self._lost_ever += full
            self._waiting.append(record)

    def metrics(self) -> Iterator[Metric]:
        """Tell what was refused, and how the journal keeps up."""
        yield from self._refusals.metrics()
        waiting, lost = (Sample(len(self._waiting)),), (Sample(self._lost_ever),)
        yield Metric("garrison_audit_waiting", "gauge", "Events that wait for the journal.", waiting)
        yield Metric("garrison_audit_lost_total", "counter", "Events that the journal never got.", lost)

    async def flush(self, journal: Journal, now: int, *, last: bool = False) -> None:
        """Write what waits.

        Args:
            journal: Where to.
            now: Wall microseconds.
            last: Whether the process ends, and counts of an unfinished minute are to be written too.

        Raises:
            StoreError: It could not be written; it is kept for the next attempt.
        """
        for record in self._recorder.drain() if last else self._recorder.due(now):
            self._waiting.append(record)
        lost, self._lost = self._lost, 0
        if lost:
            self._waiting.append(Event(code="audit_events_lost", at=now, severity="critical", count=lost))
        events = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not events:
            return
        try:
            await journal.append(events)
        except Exception:
            self._waiting.extendleft(reversed(events))
            raise
        # From here on the journal keeps them until they are written.
        await journal.flush()


def _event(request: Request, decision: Decision, refusal: Refusal, now: int, outcome: str) -> Event:
    """Say who was refused what, and exactly why; the path of an unknown route is cut, it is the caller's to choose."""
    code = refused(refusal.code)
    principal = decision.principal
    return Event(
        code=code.name,
        at=now,
        actor=principal.id if principal.is_authenticated else "",
        subject=refusal.subject or principal.credential,
        outcome=outcome,
        severity="critical" if "critical" in (refusal.severity, code.severity) else code.severity,
        reason=refusal.reason or refusal.code,
        address=decision.address,
        route=decision.plan.route or f"{request.method[:10]} {request.path[:120]}",
        correlation=decision.correlation,
        tenant=principal.tenant,
        details=_details(request, code.name, outcome),
    )


def _details(request: Request, code: str, outcome: str) -> dict[str, str | int | bool]:
    """Keep which page was refused, escaped; its address is what the operator must find or allow."""
    details: dict[str, str | int | bool] = {"observed": True} if outcome == "success" else {}
    origin = request.line(b"origin") if code == "malicious_cors" else None
    return details if origin is None else {**details, "origin": printable(origin)}
