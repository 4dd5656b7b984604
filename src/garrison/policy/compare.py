"""Hold an application's routes against the policy: what one has and the other has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.policy.route import meets_path, within
from garrison.policy.table import Demand, meetings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.policy.found import FoundRoute

__all__ = ["Difference", "compare"]


class Difference(NamedTuple):
    """One thing that the application and the policy do not agree about."""

    kind: str
    """`unnamed`: in the application alone. `stale`: in the policy alone. `narrower`: the policy takes only some of
    the route's paths. `scopes`: both demand some, and not the same. `order`: both have two routes for one path, and
    the application reaches the broader one first. `unspeakable`: no policy can name the route."""

    route: str
    text: str
    remedy: str


def compare(rows: Sequence[Demand], routes: Sequence[FoundRoute]) -> tuple[Difference, ...]:
    """Compare.

    Args:
        rows: From `garrison.policy.table.demands`; endpoints of Garrison's own are never stale.
        routes: What the application has, in the order in which it matches them.
    """
    return (*_of_routes(rows, routes), *_stale(rows, routes), *_order(rows, routes))


def _of_routes(rows: Sequence[Demand], routes: Sequence[FoundRoute]) -> Iterator[Difference]:
    for route in routes:
        name = f"{route.method} {route.path}"
        parsed = route.parsed()
        if parsed is None:
            text = "no policy can name it, so it cannot be reached"
            yield Difference("unspeakable", name, text, "Give it a path of whole segments and a usual method")
            continue
        row = _judge_of(rows, route)
        if row is not None:
            yield from _scopes(row, route, name)
        elif route.method in ("HEAD", "OPTIONS"):
            # Frameworks add these by themselves.
            continue
        elif any(_meets(each, route) for each in rows):
            text = "the policy names only some of its paths, and the others cannot be reached"
            yield Difference("narrower", name, text, f'Write "{route.method} {parsed.template}"')
        else:
            text = "the policy does not name it, so it cannot be reached"
            yield Difference(
                "unnamed", name, text, f'Write "{route.method} {parsed.template}" = {{ … }} under [routes]'
            )


def _judge_of(rows: Sequence[Demand], route: FoundRoute) -> Demand | None:
    """The most specific row that takes every path of the route."""
    parsed = route.parsed()
    if parsed is None:
        return None
    best: Demand | None = None
    for row in rows:
        takes = _takes(row, route.method) and within(parsed.segments, row.parsed.segments)
        if takes and (best is None or within(row.parsed.segments, best.parsed.segments)):
            best = row
    return best


def _takes(row: Demand, method: str) -> bool:
    return method in row.parsed.methods or (method == "HEAD" and "GET" in row.parsed.methods)


def _meets(row: Demand, route: FoundRoute) -> bool:
    parsed = route.parsed()
    return parsed is not None and _takes(row, route.method) and meets_path(row.parsed.segments, parsed.segments)


def _scopes(row: Demand, route: FoundRoute, name: str) -> Iterator[Difference]:
    """Policy and application are both asked, so what only one of them demands surprises whoever reads the other."""
    mine, theirs = set(row.whole.scopes or ()), set(route.scopes)
    if not theirs or mine == theirs:
        return
    only_app, only_policy = sorted(theirs - mine), sorted(mine - theirs)
    parts = [f"the application alone demands {', '.join(only_app)}"] if only_app else []
    parts += [f"the policy alone demands {', '.join(only_policy)}"] if only_policy else []
    yield Difference("scopes", name, "; ".join(parts), f"Write the same scopes for {row.name!r} and in the code")


def _stale(rows: Sequence[Demand], routes: Sequence[FoundRoute]) -> Iterator[Difference]:
    for row in rows:
        if row.mounted is None and not any(_meets(row, route) for route in routes):
            yield Difference("stale", row.name, "the application has no such route", "Remove it from the policy")


def _order(rows: Sequence[Demand], routes: Sequence[FoundRoute]) -> Iterator[Difference]:
    """Applications match in order; the guard prefers the more specific. Where that differs, the wrong demands hold."""
    mine = []
    for route in routes:
        parsed, row = route.parsed(), _judge_of(rows, route)
        if parsed is not None and row is not None:
            mine.append(Demand(f"{route.method} {route.path}", parsed, row.stated, row.whole))
    for meeting in meetings(mine):
        if meeting.narrows and not meeting.same and meeting.one.whole != meeting.other.whole:
            text = f"the application reaches {meeting.one.name!r} first, under other demands"
            yield Difference("order", meeting.other.name, text, "Declare it first in the application")
