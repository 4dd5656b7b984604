"""Decides which events are written one by one and which are only counted, so that nobody can fill the disk.

The first refusals of one subject for one reason in a minute are a record each; the rest of the minute is one
record with a count. A flood from many addresses spends a common budget, beyond which refusals are counted
from the first one on; beyond a number of counted pairs, they are counted by code and reason alone. Nothing is
ever dropped uncounted, and what succeeded or failed inside, as opposed to what was refused, is always written.
What a policy in observe mode would have refused (`observed` among the details) counts as refused here.

Pure: the instant is the event's own.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from garrison.model.units import MINUTE

if TYPE_CHECKING:
    from garrison.model.event import Event

__all__ = ["EACH", "MOST_PAIRS", "MOST_REASONS", "MOST_SINGLE", "Recorder"]

EACH = 10
"""Refusals of one subject and reason in a minute that are a record each."""

MOST_SINGLE = 1_000
"""Refusals of all subjects in a minute that are a record each. With the counts at most 2,300 records a minute."""

MOST_PAIRS = 1_000
"""Pairs of subject and reason that are told apart in a minute; further ones are counted by reason alone."""

MOST_REASONS = 300
"""Reasons that are told apart beyond that; further ones are counted together."""


class _Pair(NamedTuple):
    """Who was refused for what."""

    code: str
    reason: str
    tenant: str
    who: str


class _Count:
    """What became of a pair in the present minute."""

    __slots__ = ("beyond", "last", "single")

    def __init__(self, first: Event) -> None:
        self.single = 0
        self.beyond = 0
        self.last = first


class Recorder:
    """Holds the counts of the present minute; safe for threads."""

    __slots__ = ("_counts", "_each", "_lock", "_minute", "_single")

    def __init__(self, each: int = EACH) -> None:
        """Begin with an empty minute.

        Args:
            each: Refusals of one subject and reason in a minute that are a record each.
        """
        self._each = each
        self._minute = -1
        self._single = 0
        self._counts: dict[_Pair, _Count] = {}
        self._lock = Lock()

    def change(self, each: int) -> None:
        """Count by another figure from the next event on."""
        self._each = each

    def take(self, event: Event) -> tuple[Event, ...]:
        """Give the records that are to be written now: the event, or none, after the counts of a minute that ended."""
        if event.outcome != "refused" and not event.details.get("observed"):
            return (event,)
        with self._lock:
            minute = event.at // MINUTE
            ended = self._end() if minute != self._minute else ()
            self._minute = minute
            count = self._count(event)
            if count.single < self._each and self._single < MOST_SINGLE:
                count.single += 1
                self._single += 1
                return (*ended, event)
            count.beyond += event.count
            count.last = _shared(count.last, event)
            return ended

    def due(self, now: int) -> tuple[Event, ...]:
        """Give the counts of a minute that has ended; the clean-up job asks every few seconds.

        Args:
            now: Wall microseconds.
        """
        with self._lock:
            return self._end() if now // MINUTE != self._minute else ()

    def drain(self) -> tuple[Event, ...]:
        """Give all counts now, before the process ends."""
        with self._lock:
            return self._end()

    def _end(self) -> tuple[Event, ...]:
        counts, self._counts, self._single = self._counts, {}, 0
        return tuple([_summary(pair, count) for pair, count in counts.items() if count.beyond])

    def _count(self, event: Event) -> _Count:
        """Find the count of an event's pair, or of a coarser one when there are too many."""
        pair = _Pair(event.code, event.reason, event.tenant, event.actor or event.address)
        for wider, most in (
            (pair, MOST_PAIRS),
            (pair._replace(tenant="", who=""), MOST_PAIRS + MOST_REASONS),
        ):
            count = self._counts.get(wider)
            if count is not None:
                return count
            if len(self._counts) < most:
                return self._counts.setdefault(wider, _Count(event))
        return self._counts.setdefault(_Pair("", "", "", ""), _Count(event))


def _shared(before: Event, event: Event) -> Event:
    """Give the later event without the place that the earlier one does not share."""
    if before.route == event.route and before.address == event.address:
        return event
    return replace(
        event,
        route=event.route if before.route == event.route else "",
        address=event.address if before.address == event.address else "",
    )


def _summary(pair: _Pair, count: _Count) -> Event:
    """Write what was only counted; what the events may not share is left out."""
    last = count.last
    if pair.who:
        return replace(last, count=count.beyond, subject="", correlation="", details={"summary": True})
    return replace(
        last,
        code=pair.code or last.code,
        reason=pair.reason,
        count=count.beyond,
        actor="",
        address="",
        tenant="",
        subject="",
        route="",
        correlation="",
        details={"summary": True, "subjects": "many"},
    )
