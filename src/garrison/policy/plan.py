"""Compile a policy into plans: everything a request needs is computed here, once."""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from garrison import limits
from garrison.errors import PolicyError, Problem
from garrison.limits import Limit
from garrison.model import units
from garrison.model.fit import fit
from garrison.model.ids import base62
from garrison.model.refusal import Refusal, refuse
from garrison.policy.notation import READERS
from garrison.policy.problem import as_problem
from garrison.policy.route import METHODS, WEBSOCKET, Tree, is_plain, parse_route
from garrison.policy.schema import All, Defaults, Policy, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from garrison.model.endpoint import Endpoint
    from garrison.policy.route import Segment

__all__ = ["Match", "Mounted", "Plan", "Plans", "Rule", "compile_policy"]


class Rule(NamedTuple):
    """One limit of one route."""

    key: str
    """Begins the counter's subject; of fixed length, so that no counted party can look like another rule."""

    limit: Limit


class Mounted(NamedTuple):
    """An endpoint of Garrison's own, and the service it works on."""

    endpoint: Endpoint
    service: Any


class Plan(Struct, frozen=True, kw_only=True):
    """One route, compiled."""

    route: str
    """Its name in the policy: `GET /api/tasks/{id}`."""

    template: str
    """Its path: `/api/tasks/{id}`."""

    public: bool = False
    credentials: tuple[str, ...] = ()
    """Kinds that are accepted."""

    all_credentials: bool = False
    """Whether every one of them is demanded."""

    scopes: tuple[str, ...] = ()
    own: bool = False
    before: tuple[Rule, ...] = ()
    """Limits per address, spent before the credential is looked at."""

    after: tuple[Rule, ...] = ()
    """All other limits."""

    cors: str = ""
    """Name of the CORS policy; empty: none."""

    headers: str = "api"
    """Name of the header profile."""

    max_body: int = 0
    """Bytes."""

    body: Any = None
    fresh: int = 0
    """Microseconds since the login, at most; 0: not asked."""

    methods: tuple[str, ...] = ()
    """Authentication methods that are demanded (`amr`)."""

    observe: bool = False
    sets_cookie: bool = False
    endpoint: Mounted | None = None


class Match(NamedTuple):
    """The plan of a request, and what the path's parameters caught."""

    plan: Plan
    parameters: dict[str, str]


class Plans:
    """All plans of one policy. Frozen once made: a live update makes new ones and swaps the reference."""

    __slots__ = ("_trees", "cors", "headers", "policy", "unknown", "version")

    def __init__(
        self,
        policy: Policy,
        trees: Mapping[str, Tree[Plan]],
        unknown: Plan,
        version: str,
        cors: Mapping[str, Any],
        headers: Mapping[str, Any],
    ) -> None:
        """Keep what was compiled.

        Args:
            policy: What it was compiled from.
            trees: For each method the routes that take it.
            unknown: The plan of a request that has no route: it lends limits and headers to the refusal.
            version: Digest of policy and body schemas.
            cors: Compiled CORS policies by name.
            headers: Compiled header profiles by name.
        """
        self.policy = policy
        self.unknown = unknown
        self.version = version
        self.cors = cors
        self.headers = headers
        self._trees = trees

    def find(self, method: str, path: str, raw_path: bytes = b"") -> Match | Refusal:
        """Find the plan of a request.

        Args:
            method: As sent, or `WS` for a WebSocket handshake.
            path: As the server decoded it.
            raw_path: As sent; empty when the server does not tell.

        Returns:
            The match; or 400 `path_ambiguous`, 404 `route_unknown`, 405 `method_not_allowed` with `Allow`.
        """
        if not is_plain(path, raw_path):
            return refuse("path_ambiguous")
        tree = self._trees.get(method)
        found = None if tree is None else tree.find(path)
        if found is None:
            return self._missed(method, path)
        return Match(*found)

    def cors_for(self, path: str, method: str) -> Any:
        """Give the compiled CORS policy that answers a preflight for the path and the method it asks about.

        A path without a route is answered by the default one, so that a page learns of the 404 itself.
        """
        found = self.find(method, path)
        plan = found.plan if isinstance(found, Match) else self.unknown
        return self.cors.get(plan.cors)

    def _missed(self, method: str, path: str) -> Refusal:
        allowed = [name for name, tree in self._trees.items() if name != WEBSOCKET and tree.find(path) is not None]
        if allowed:
            return refuse("method_not_allowed", headers=((b"allow", ", ".join(allowed).encode()),))
        if self.policy.environment == "development":
            route = f"{method} {path}"
            return refuse("route_unknown", members={"policy": f"The policy has no route for {route[:200]!r}."})
        return refuse("route_unknown")


def compile_policy(
    policy: Policy,
    *,
    endpoints: Sequence[tuple[str, Endpoint, Any]] = (),
    files: Callable[[str], bytes] | None = None,
) -> Plans:
    """Compile a policy.

    Args:
        policy: From `garrison.policy.load`, or made in Python.
        endpoints: Endpoints of Garrison's own: where their package is mounted, the row, its service. A route
            of the policy with the same name overrides what the row demands.
        files: Reads a file that the policy names, such as a body's schema.

    Raises:
        PolicyError: With every mistake.
    """
    return _Compiler(policy, files).run(endpoints)


class _Row(NamedTuple):
    method: str
    segments: tuple[Segment, ...]
    plan: Plan


class _Compiler:
    """Collects plans and problems of one policy."""

    def __init__(self, policy: Policy, files: Callable[[str], bytes] | None) -> None:
        self.policy = policy
        self.files = files
        self.problems: list[Problem] = []

    def run(self, endpoints: Sequence[tuple[str, Endpoint, Any]]) -> Plans:
        policy = self.policy
        found = fit(msgspec.to_builtins(policy), Policy, READERS)
        if found.misfits:
            raise PolicyError([as_problem(misfit) for misfit in found.misfits])
        rows: list[_Row] = []
        mounted = dict(self._mounted(endpoints))
        routes = {**{name: Route() for name in mounted}, **policy.routes}
        for name, route in routes.items():
            demands, endpoint = mounted.get(name, (Route(), None))
            self._add(rows, name, _laid_over(demands, route), endpoint)
        if self.problems:
            raise PolicyError(self.problems)
        unknown = self._plan("", "", Route(public=True), None)
        return Plans(policy, _grown(rows), unknown, _digest(policy), {}, {})

    def _mounted(self, endpoints: Sequence[tuple[str, Endpoint, Any]]) -> Iterator[tuple[str, tuple[Route, Mounted]]]:
        for prefix, endpoint, service in endpoints:
            demands = msgspec.convert(endpoint.demands, Route)
            yield f"{endpoint.method} {prefix}{endpoint.path}", (demands, Mounted(endpoint, service))

    def _add(self, rows: list[_Row], name: str, route: Route, endpoint: Mounted | None) -> None:
        parsed = parse_route(name)
        plan = self._plan(name, parsed.template, route, endpoint)
        rows += [_Row(method, parsed.segments, plan) for method in parsed.methods]

    def _plan(self, name: str, template: str, route: Route, endpoint: Mounted | None) -> Plan:
        policy = self.policy
        whole = _laid_over(policy.defaults, route)
        own = route.limit is not None
        before, after = _rules(name if own else "", whole.limit)
        kinds = whole.credentials if whole.credentials is not None else ("key", "jwt")
        require = whole.require
        return Plan(
            route=name,
            template=template,
            public=bool(whole.public),
            credentials=kinds.all if isinstance(kinds, All) else kinds,
            all_credentials=isinstance(kinds, All),
            scopes=whole.scopes or (),
            own=bool(whole.own),
            before=before,
            after=after,
            cors="" if whole.cors in (None, "none") else str(whole.cors),
            headers=whole.headers or "api",
            max_body=units.size(whole.max_body or policy.caps.body),
            fresh=units.duration(require.fresh) if require and require.fresh else 0,
            methods=require.methods if require else (),
            observe="observe" in (policy.mode, whole.mode),
            sets_cookie=bool(whole.sets_cookie),
            endpoint=endpoint,
        )


def _laid_over(under: Route, over: Route) -> Defaults:
    """Take each demand from the upper route, and from the lower one where the upper says nothing."""
    names = Route.__struct_fields__
    both = {name: getattr(under, name) if getattr(over, name) is None else getattr(over, name) for name in names}
    return Defaults(**both)


def _rules(scope: str, texts: str | tuple[str, ...] | None) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Parse limits and part them by phase; routes with the default limits share the scope `""`."""
    before: list[Rule] = []
    after: list[Rule] = []
    for text in (texts,) if isinstance(texts, str) else texts or ():
        limit = limits.parse(text)
        phase = before if limit.per == "address" else after
        phase.append(Rule(_rule_key(scope, limit), limit))
    return tuple(before), tuple(after)


def _rule_key(scope: str, limit: Limit) -> str:
    """Name a rule in 12 letters. The limit's numbers are left out: what is spent stays spent when they change."""
    digest = blake2b(f"{scope}\n{limit.per}".encode(), digest_size=8).digest()
    return base62(int.from_bytes(digest, "big"), 11) + ":"


def _grown(rows: list[_Row]) -> dict[str, Tree[Plan]]:
    """Grow a tree for each method. HEAD falls back to what GET demands (RFC 9110 section 9.3.2)."""
    trees: dict[str, Tree[Plan]] = {}
    for method in METHODS:
        # HEAD's own rows come last and take the place of GET's.
        wanted = ("GET", "HEAD") if method == "HEAD" else (method,)
        mine = [row for name in wanted for row in rows if row.method == name]
        if mine:
            trees[method] = Tree()
            for row in mine:
                trees[method].add(row.segments, row.plan)
    return trees


def _digest(policy: Policy) -> str:
    return sha256(msgspec.json.encode(policy, order="sorted")).hexdigest()
