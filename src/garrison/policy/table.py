"""The routes of a policy as rows: what each demands in the end, and which of them meet on one path."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from garrison.cors.rules import CorsPolicy
from garrison.headers import HeadersPolicy
from garrison.policy.route import METHODS, WEBSOCKET, Segment, meets, parse_route, within
from garrison.policy.schema import Route, laid_over

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.model.http.endpoint import Endpoint
    from garrison.policy.route import RouteName
    from garrison.policy.schema import Cors, Headers, Policy

__all__ = [
    "Demand",
    "Meeting",
    "Mounted",
    "Rows",
    "cors_policy",
    "demands",
    "headers_policy",
    "meetings",
    "users_of_cors",
]


class Mounted(NamedTuple):
    """An endpoint of Garrison's own, and the service it works on."""

    endpoint: Endpoint
    service: Any


Rows: TypeAlias = "Sequence[tuple[str, Endpoint, Any]]"
"""Endpoints of Garrison's own: where their package is mounted, the row, its service."""


class Demand(NamedTuple):
    """One route with everything it demands."""

    name: str
    """Its key in the policy: `GET /notes/{id}`."""

    parsed: RouteName
    stated: Route
    """What the route says by itself."""

    whole: Route
    """The same, with what `[defaults]` adds."""

    mounted: Mounted | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its path parameters."""
        return tuple(segment.text for segment in self.parsed.segments if segment.kind)


def demands(policy: Policy, endpoints: Rows = ()) -> tuple[Demand, ...]:
    """List the routes: those of the policy, in order, and the endpoints that it does not name.

    A route of the policy with the name of an endpoint overrides what that endpoint demands; where it demands scopes, a
    login or ownership, the endpoint is no longer public.
    """
    mounted: dict[str, tuple[Route, Mounted]] = {}
    for prefix, endpoint, service in endpoints:
        own = msgspec.convert(endpoint.demands, Route)
        mounted[f"{endpoint.method} {prefix}{endpoint.path}"] = (own, Mounted(endpoint, service))
    stated = {**policy.routes, **{name: Route() for name in mounted if name not in policy.routes}}
    found = []
    for name, route in stated.items():
        below, endpoint_of = mounted.get(name, (Route(), None))
        if route.scopes or route.require or route.own:
            # Who demands something of an endpoint that anybody may call means that not anybody may any more.
            below = msgspec.structs.replace(below, public=None)
        alone = laid_over(below, route)
        found.append(Demand(name, parse_route(name), alone, laid_over(policy.defaults, alone), endpoint_of))
    return tuple(found)


def users_of_cors(rows: Sequence[Demand], name: str) -> tuple[Demand, ...]:
    """List the routes that use a CORS policy."""
    return tuple(row for row in rows if row.whole.cors == name)


def cors_policy(cors: Cors, users: Sequence[Demand], policy: Policy) -> CorsPolicy:
    """Fill in what a CORS policy leaves to its routes: their methods, and the fields of their credentials."""
    methods, headers = cors.methods, cors.headers
    if methods is None:
        taken = {method for row in users for method in row.parsed.methods}
        methods = tuple(method for method in METHODS if method in taken - {"OPTIONS", WEBSOCKET})
    if headers is None:
        headers = tuple(dict.fromkeys(("authorization", "content-type", policy.keys.header)))
    return CorsPolicy(
        origins=cors.origins,
        methods=methods,
        headers=headers,
        expose=cors.expose,
        credentials=cors.credentials,
        max_age=cors.max_age,
        dangerously_allow_insecure_origins=cors.dangerously_allow_insecure_origins,
        dangerously_allow_public_suffix_subdomains=cors.dangerously_allow_public_suffix_subdomains,
    )


def headers_policy(headers: Headers) -> HeadersPolicy:
    """Say the same in the words of `garrison.headers`."""
    return HeadersPolicy(**msgspec.structs.asdict(headers))


class Meeting(NamedTuple):
    """Two routes that take the same method on some path; the first stands earlier."""

    one: Demand
    other: Demand
    method: str

    @property
    def same(self) -> bool:
        """Whether they take exactly the same paths."""
        return within(self.one.parsed.segments, self.other.parsed.segments) and self.narrows

    @property
    def narrows(self) -> bool:
        """Whether the later one takes only paths that the earlier one takes too."""
        return within(self.other.parsed.segments, self.one.parsed.segments)

    @property
    def ordered(self) -> bool:
        """Whether one of them is within the other, so that it is clear which is meant."""
        return self.narrows or within(self.one.parsed.segments, self.other.parsed.segments)


def meetings(rows: Sequence[Demand]) -> Iterator[Meeting]:
    """Find all pairs of routes that meet, by the later one; routes that cannot meet are never compared."""
    roots: dict[str, _Node] = {}
    for at, row in enumerate(rows):
        for method in row.parsed.methods:
            roots.setdefault(method, _Node()).add(row.parsed.segments, at)
    found = []
    for method, root in roots.items():
        for pair in root.among():
            earlier, later = sorted(pair)
            found.append((later, rows[later].parsed.methods.index(method), earlier))
    for later, place, earlier in sorted(found):
        yield Meeting(rows[earlier], rows[later], rows[later].parsed.methods[place])


_Pairs: TypeAlias = "Iterator[tuple[int, int]]"


class _Node:
    """The routes of one method whose templates begin alike, by their numbers."""

    __slots__ = ("literals", "parameters", "rows")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameters: dict[str, _Node] = {}
        """By kind; parameters of one kind share a node, whatever they are called."""
        self.rows: list[int] = []

    def add(self, segments: Sequence[Segment], row: int) -> None:
        node = self
        for kind, text in segments:
            node = node.parameters.setdefault(kind, _Node()) if kind else node.literals.setdefault(text, _Node())
        node.rows.append(row)

    def among(self) -> _Pairs:
        """Pair the routes below that some path fits both of."""
        yield from combinations(self.rows, 2)
        for node in (*self.literals.values(), *self.parameters.values()):
            yield from node.among()
        yield from self.caught(self)
        for (kind, node), (other, beside) in combinations(self.parameters.items(), 2):
            yield from node.follow(beside, rest="path" in (kind, other))

    def follow(self, other: _Node, *, rest: bool = False) -> _Pairs:
        """Pair routes below with routes below another node, which some segment leads to both of.

        Args:
            other: A node that is not this one.
            rest: That segment was a `{name:path}`, which takes whatever follows.
        """
        if rest:
            yield from product(self.everything(), other.everything())
            return
        yield from product(self.rows, other.rows)
        # The fewer are looked up among the more: a thousand templates that go on after `/{tenant}` cost a
        # template that goes on after `/acme` nothing.
        few, many = sorted((self, other), key=lambda node: len(node.literals))
        for text, node in few.literals.items():
            if text in many.literals:
                yield from node.follow(many.literals[text])
        yield from self.caught(other)
        yield from other.caught(self)
        for kind, node in self.parameters.items():
            for beside, below in other.parameters.items():
                yield from node.follow(below, rest="path" in (kind, beside))

    def caught(self, other: _Node) -> _Pairs:
        """Pair what follows parameters here with what follows literals there that the parameters take."""
        for kind, node in self.parameters.items():
            for text, below in other.literals.items():
                if meets(Segment(kind, ""), Segment("", text)):
                    yield from node.follow(below, rest=kind == "path")

    def everything(self) -> Iterator[int]:
        """Number the routes below."""
        yield from self.rows
        for node in (*self.literals.values(), *self.parameters.values()):
            yield from node.everything()
