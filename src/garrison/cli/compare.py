"""Where policy and application differ: routes that only one of them has, and scopes that they name differently."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from garrison.errors import Problem, UsageError
from garrison.model.fit import path_text
from garrison.policy.found import out_of_order
from garrison.policy.route import parse_template, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.policy.file.overlay import Places
    from garrison.policy.found import FoundRoute
    from garrison.policy.route import Segment
    from garrison.policy.table import Demand

__all__ = ["NUMBERS", "Comparison", "compare"]

MISSING, UNUSED, SCOPES, UNNAMEABLE, NARROW, ORDER = "GP701", "GP702", "GP703", "GP704", "GP705", "GP706"

NUMBERS = {
    MISSING: "The application has a route that the policy does not have, so it can never be reached.",
    UNUSED: "The policy has a route that the application does not serve. A warning.",
    SCOPES: "Policy and `Security()` name different scopes. A warning where the policy demands more.",
    UNNAMEABLE: "The application has a route that no policy can name.",
    NARROW: "The policy takes only some of the paths of a route.",
    ORDER: "The application looks at its routes in an order in which a handler runs under another one's demands.",
}
"""The problems that only a look at the application shows."""


class Comparison(NamedTuple):
    """What became of a comparison."""

    routes: int
    """Routes of the application, each method counted."""

    known: int
    """Those of them that stand in the policy."""

    problems: tuple[Problem, ...]


class _Row(NamedTuple):
    """One method of a route of the application."""

    method: str
    """Empty: the framework does not tell, so any will do."""

    template: str
    segments: tuple[Segment, ...]
    found: FoundRoute

    @property
    def name(self) -> str:
        return f"{self.method or 'GET'} {self.template}"


def compare(found: Sequence[FoundRoute], demands: Sequence[Demand], places: Places) -> Comparison:
    """Compare an application with its policy.

    Args:
        found: The application's routes.
        demands: The policy's; endpoints of Garrison's own are not looked for in the application.
        places: Tells the line of a route in the policy.
    """
    rows, problems = _rows(found)
    known = 0
    for row in rows:
        demand = _demand_of(row, demands)
        known += demand is not None
        problems += [_missing(row, demands)] if demand is None else _scopes(row, demand, places)
    wanted = [demand for demand in demands if demand.mounted is None and not _is_served(demand, rows)]
    problems += [_unused(demand, places) for demand in wanted]
    problems += [_late(one, other) for one, other in out_of_order(demands, found)]
    return Comparison(len(rows), known, tuple(problems))


def _rows(found: Sequence[FoundRoute]) -> tuple[list[_Row], list[Problem]]:
    rows: list[_Row] = []
    problems: list[Problem] = []
    for route in found:
        try:
            segments = parse_template(route.template)
        except UsageError as error:
            text = f"The application has a route that no policy can name: {error}"
            problems.append(Problem(UNNAMEABLE, "routes", 0, text, "Give it another path"))
            continue
        rows += [_Row(method, route.template, segments, route) for method in route.methods or ("",)]
    return rows, problems


def _takes(demand: Demand, method: str) -> bool:
    methods = demand.parsed.methods
    # HEAD falls back to GET, as in the guard.
    return not method or method in methods or (method == "HEAD" and "GET" in methods)


def _demand_of(row: _Row, demands: Sequence[Demand]) -> Demand | None:
    """Find the narrowest route of the policy that takes every path of the application's."""
    best: Demand | None = None
    for demand in demands:
        if not _takes(demand, row.method) or not within(row.segments, demand.parsed.segments):
            continue
        if best is None or within(demand.parsed.segments, best.parsed.segments):
            best = demand
    return best


def _is_served(demand: Demand, rows: Sequence[_Row]) -> bool:
    """Tell whether the application has anything for every method of a route."""
    return all(
        any(
            (not row.method or row.method == method or (row.method == "GET" and method == "HEAD"))
            and (within(row.segments, demand.parsed.segments) or within(demand.parsed.segments, row.segments))
            for row in rows
        )
        for method in demand.parsed.methods
    )


def _missing(row: _Row, demands: Sequence[Demand]) -> Problem:
    partly = [each for each in demands if _takes(each, row.method) and within(each.parsed.segments, row.segments)]
    if partly:
        text = f"The application's {row.name} takes more paths than {partly[0].name} of the policy"
        return Problem(NARROW, "routes", 0, text, f'Write "{row.name}", or narrow the application')
    text = f"The application has {row.name}, the policy does not: every call is answered 404"
    scopes = f" = {{ scopes = {list(row.found.scopes)} }}".replace("'", '"') if row.found.scopes else " = { … }"
    return Problem(MISSING, "routes", 0, text, f'Write "{row.name}"{scopes}, or take it out of the application')


def _unused(demand: Demand, places: Places) -> Problem:
    path, line = places.find(("routes", demand.name))
    text = "The policy has a route that the application does not serve"
    return Problem(UNUSED, path_text(path), line, text, "Mend the path or the method, or remove the route", "warning")


def _late(one: FoundRoute, other: FoundRoute) -> Problem:
    text = (
        f"The application reaches {one.template} first where the guard holds the demands of {other.template}: "
        "its handler runs under demands meant for another"
    )
    return Problem(ORDER, "routes", 0, text, f"Declare {other.template} before {one.template} in the application")


def _scopes(row: _Row, demand: Demand, places: Places) -> Iterator[Problem]:
    """Compare the scopes; code that names none leaves the question to the policy."""
    named, demanded = Counter(row.found.scopes), Counter(demand.whole.scopes or ())
    if not named or named == demanded:
        return
    path, line = places.find(("routes", demand.name))
    lacking, further = sorted(named - demanded), sorted(demanded - named)
    if lacking:
        text = f"The application's {row.name} demands {', '.join(lacking)}, the policy does not"
        yield Problem(SCOPES, path_text(path), line, text, f"Write {', '.join(lacking)} into the route's scopes")
    elif further:
        text = f"The policy demands {', '.join(further)} of {row.name}, Security() in the application does not"
        yield Problem(SCOPES, path_text(path), line, text, "Name the same scopes in both places", "warning")
