"""Routes found in an application or in its OpenAPI document, in the notation of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.errors import UsageError
from garrison.policy.route import RouteName, parse_template, within
from garrison.policy.table import Demand, meetings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FoundRoute", "out_of_order"]


class FoundRoute(NamedTuple):
    """One route of an application."""

    methods: tuple[str, ...]
    """In the order of `garrison.policy.route.METHODS`, `WS` for a WebSocket; empty: the framework does not tell."""

    template: str
    """Its path as a policy writes it: `/notes/{id:int}`."""

    scopes: tuple[str, ...] = ()
    """Scopes that the application names itself, such as in `Security(principal, scopes=[…])`, in order."""

    documentation: bool = False
    """Whether it shows the documentation: the OpenAPI document or one of its pages."""

    summary: str = ""
    """What it does, in a few words."""

    content: tuple[str, ...] = ()
    """Media types of the bodies it takes; empty: the application does not tell."""

    public: bool = False
    """Whether the application says that no credential is needed."""


def out_of_order(rows: Sequence[Demand], routes: Sequence[FoundRoute]) -> tuple[tuple[FoundRoute, FoundRoute], ...]:
    """Find routes that the application reaches later than the guard does.

    Most frameworks take the first route that matches; the guard takes the most specific. Where an earlier, broader
    route of the application stands under other demands, its handler runs under demands meant for the later one.

    Args:
        rows: The policy's routes, from `garrison.policy.table.demands`.
        routes: The application's, in the order in which it matches them.

    Returns:
        Pairs: the broader route that is reached, and the narrower one whose demands hold.
    """
    mine: list[Demand] = []
    for number, route in enumerate(routes):
        try:
            segments = parse_template(route.template)
        except UsageError:
            continue
        for method in route.methods:
            row = _judge_of(rows, RouteName((method,), route.template, segments))
            if row is not None:
                mine.append(Demand(str(number), RouteName((method,), route.template, segments), row.stated, row.whole))
    pairs = {
        (int(meeting.one.name), int(meeting.other.name)): None
        for meeting in meetings(mine)
        if meeting.narrows and not meeting.same and meeting.one.whole != meeting.other.whole
    }
    return tuple((routes[one], routes[other]) for one, other in pairs)


def _judge_of(rows: Sequence[Demand], route: RouteName) -> Demand | None:
    """The most specific row that takes every path of a route."""
    best: Demand | None = None
    for row in rows:
        takes = route.methods[0] in row.parsed.methods and within(route.segments, row.parsed.segments)
        if takes and (best is None or within(row.parsed.segments, best.parsed.segments)):
            best = row
    return best
