"""Does a thousand routes cost what ten do, and what does finding one cost against Starlette's router?

Each call asks for the next route of the policy, so that no answer is a memory of the last one; the ten routes are
asked for in the same rhythm. Parts of the price: the check for ambiguous paths, the tree, the parameters.
Not measured: the network, the guard's other steps. Starlette's routes are matched as its router does it, each
regular expression in turn, with as many routes as a service of middling size has.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from starlette.routing import Match as Matched
from starlette.routing import Route as StarletteRoute

from benchmarks.figure import Figure, figure, medians
from garrison.policy.plan import Plans, compile_policy
from garrison.policy.schema import Policy, Route

__all__ = ["figures"]

_FEW, _MANY, _MIDDLING = 10, 1_000, 50
_ASKED = 1_000


def figures() -> list[Figure]:
    """Measure; some five seconds."""
    exact_few, exact_many = medians(_exact(_FEW), _exact(_MANY))
    few, many = medians(_parameter(_FEW), _parameter(_MANY))
    unknown_few, unknown_many = medians(_unknown(_FEW), _unknown(_MANY))
    ours, rival = medians(_parameter(_MIDDLING), _starlette(_MIDDLING))
    return [
        figure("a route without parameters among 1,000 against among 10", exact_many, exact_few, bar=1.3),
        figure("a route with a parameter among 1,000 against among 10", many, few, bar=1.4),
        figure("an unknown path among 1,000 routes against among 10", unknown_many, unknown_few, bar=1.4),
        figure("a route with a parameter among 50, against Starlette's router", ours, rival, bar=1 / 5),
    ]


def _plans(count: int) -> Plans:
    routes = {}
    for number in range(count):
        routes[f"GET /api/r{number:04}"] = Route(scopes=("a:read",))
        routes[f"GET /api/r{number:04}/{{id}}"] = Route(scopes=("a:read",), own=True)
    return compile_policy(Policy(routes=routes))


def _asking(plans: Plans, paths: list[str]) -> Callable[[], object]:
    """One call finds the next of the paths."""
    asked = cycle([(path, path.encode()) for path in paths])
    find = plans.find

    def ask() -> object:
        path, raw_path = next(asked)
        return find("GET", path, raw_path)

    return ask


def _paths(count: int, end: str) -> list[str]:
    """As many different texts in both runs, so that caches of the processor see the same."""
    return [f"/api/r{number % count:04}{end}" for number in range(_ASKED)]


def _exact(count: int) -> Callable[[], object]:
    return _asking(_plans(count), _paths(count, ""))


def _parameter(count: int) -> Callable[[], object]:
    return _asking(_plans(count), _paths(count, "/4711"))


def _unknown(count: int) -> Callable[[], object]:
    return _asking(_plans(count), _paths(count, "/4711/none"))


def _starlette(count: int) -> Callable[[], object]:
    def endpoint() -> None: ...

    routes = []
    for number in range(count):
        routes.append(StarletteRoute(f"/api/r{number:04}", endpoint))
        routes.append(StarletteRoute(f"/api/r{number:04}/{{id}}", endpoint))
    scopes = cycle([{"type": "http", "method": "GET", "path": path, "headers": []} for path in _paths(count, "/4711")])

    def ask() -> object:
        scope = next(scopes)
        for route in routes:
            match, child = route.matches(scope)
            if match is Matched.FULL:
                return child
        return None

    return ask
