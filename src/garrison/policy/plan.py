"""Compile a policy into plans: everything a request needs is computed here, once."""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, NamedTuple, get_args

import msgspec
from msgspec import Struct

from garrison import limits
from garrison.cors.answer import Cors, compile_cors
from garrison.cors.tally import Tally
from garrison.errors import PolicyError
from garrison.headers import HeadersPolicy, SecurityHeaders, compile_headers
from garrison.limits import Limit
from garrison.model import units
from garrison.model.fit import fit
from garrison.model.http import media
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.ids import base62
from garrison.policy.body import BodySchema
from garrison.policy.file.problem import as_problem
from garrison.policy.lint import lint
from garrison.policy.notation import READERS
from garrison.policy.route import METHODS, WEBSOCKET, RouteName, Tree, is_plain
from garrison.policy.schema import All, Policy, Profile, Route
from garrison.policy.table import Demand, Mounted, cors_policy, demands, headers_policy, users_of_cors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from garrison.errors import Problem
    from garrison.policy.lint import Files
    from garrison.policy.table import Rows

__all__ = ["Match", "Mounted", "Plan", "Plans", "Rule", "compile_policy", "sound"]


class Rule(NamedTuple):
    """One limit of one route."""

    key: str
    """Begins the counter's subject; of fixed length, so that no counted party can look like another rule."""

    limit: Limit


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

    content: tuple[str, ...] = (media.JSON,)
    """Media types of bodies that are taken; `application/json` stands for `application/*+json` too."""

    body: BodySchema | None = None
    fresh: int = 0
    """Microseconds since the login, at most; 0: not asked."""

    methods: tuple[str, ...] = ()
    """Authentication methods that are demanded (`amr`)."""

    observe: bool = False
    priority: str = "normal"
    sets_cookie: bool = False
    endpoint: Mounted | None = None


class Match(NamedTuple):
    """The plan of a request, and what the path's parameters caught."""

    plan: Plan
    parameters: dict[str, str]


class Plans:
    """All plans of one policy. Frozen once made: a live update makes new ones and swaps the reference."""

    __slots__ = ("_trees", "cors", "headers", "listed", "policy", "unknown", "version", "warnings")

    def __init__(
        self,
        policy: Policy,
        listed: Sequence[tuple[Demand, Plan]],
        unknown: Plan,
        cors: Mapping[str, Cors],
        headers: Mapping[str, SecurityHeaders],
        warnings: tuple[Problem, ...],
    ) -> None:
        """Keep what was compiled; use `compile_policy`.

        Args:
            policy: What it was compiled from.
            listed: Every route with its plan, in the order of the policy.
            unknown: The plan of a request that has no route: it lends limits and headers to the refusal.
            cors: Compiled CORS policies by name.
            headers: Compiled header profiles by name.
            warnings: What the linter says and does not refuse.
        """
        self.policy = policy
        self.listed = tuple(plan for _, plan in listed)
        self.unknown = unknown
        self.cors = cors
        self.headers = headers
        self.warnings = warnings
        self.version = _digest(policy, self.listed)
        self._trees = _grown(listed)

    def find(self, method: str, path: str, raw_path: bytes = b"") -> Match | Refusal:
        """Find the plan of a request.

        Args:
            method: As sent, or `WS` for a WebSocket handshake.
            path: As the server decoded it.
            raw_path: As sent; empty when the server does not tell.

        Returns:
            The match; or 400 `path_ambiguous`, 404 `route_unknown`, 405 `method_not_allowed` with `Allow`.
        """
        tree = self._trees.get(method)
        if tree is not None and (plan := tree.literal(path, raw_path)) is not None:
            return Match(plan, {})
        if not is_plain(path, raw_path):
            return refuse("path_ambiguous")
        found = None if tree is None else tree.find(path)
        if found is None:
            return self._missed(method, path)
        return Match(found[0], found[1])

    def cors_for(self, path: str, method: str) -> Cors | None:
        """Give the CORS policy that answers a preflight for the path and the method it asks about.

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
            route = f"{method[:20]} {path[:200]}"
            return refuse("route_unknown", members={"policy": f"The policy has no route for {route!r}."})
        return refuse("route_unknown")


def compile_policy(
    policy: Policy,
    *,
    endpoints: Rows = (),
    files: Files | None = None,
    tally: Callable[[str], Tally] = lambda _: Tally(),
) -> Plans:
    """Compile a policy.

    Args:
        policy: From `garrison.policy.load`, or made in Python.
        endpoints: Endpoints of Garrison's own: where their package is mounted, the row, its service. A route
            of the policy with the same name overrides what the row demands.
        files: Reads a file that the policy names, such as a body's schema.
        tally: Gives the counters of a CORS policy by its name, to go on with.

    Raises:
        PolicyError: With every mistake.
    """
    policy, warnings = _sound(policy, endpoints, files or _no_files)
    rows = demands(policy, endpoints)
    listed = [(row, _plan(policy, row, files)) for row in rows]
    cors = {
        name: compile_cors(
            cors_policy(cors, users_of_cors(rows, name), policy), f"cors.{name}", tally=tally(name), debug=cors.debug
        )
        for name, cors in policy.cors.items()
    }
    headers = {name: compile_headers(HeadersPolicy(profile=name)) for name in get_args(Profile)}
    headers |= {name: compile_headers(headers_policy(own), f"headers.{name}") for name, own in policy.headers.items()}
    nothing = Demand("", RouteName((), "", ()), Route(), policy.defaults)
    unknown = msgspec.structs.replace(_plan(policy, nothing, None), public=True, own=False)
    return Plans(policy, listed, unknown, cors, headers, warnings)


def sound(policy: Policy) -> Policy:
    """Check a policy that was made in Python the way a file is checked when it is loaded.

    Returns:
        The same, with structs where it had plain tables.

    Raises:
        PolicyError: With every mistake.
    """
    return _sound(policy, (), None)[0]


def _sound(policy: Policy, endpoints: Rows, files: Files | None) -> tuple[Policy, tuple[Problem, ...]]:
    fitted = fit(msgspec.to_builtins(policy), Policy, READERS)
    if fitted.value is None:
        raise PolicyError([as_problem(misfit) for misfit in fitted.misfits])
    problems = lint(fitted.value, endpoints, files)
    if mistakes := [problem for problem in problems if problem.severity == "error"]:
        raise PolicyError(mistakes)
    return fitted.value, problems


def _no_files(name: str) -> bytes:
    msg = "no way to read files was given"
    raise OSError(0, msg, name)


def _plan(policy: Policy, row: Demand, files: Files | None) -> Plan:
    whole = row.whole
    before, after = _rules("" if row.stated.limit is None else row.name, whole.limit)
    kinds = ("key", "jwt") if whole.credentials is None else whole.credentials
    require = whole.require
    # What is to fit a schema, and what an endpoint of Garrison's own reads, is JSON whatever the defaults say.
    content = None if whole.body or row.mounted else whole.content
    return Plan(
        route=row.name,
        template=row.parsed.template,
        public=bool(whole.public),
        credentials=kinds.all if isinstance(kinds, All) else kinds,
        all_credentials=isinstance(kinds, All),
        scopes=whole.scopes or (),
        own=bool(whole.own),
        before=before,
        after=after,
        cors="" if whole.cors is None or whole.cors == "none" else whole.cors,
        headers=whole.headers or "api",
        max_body=units.size(whole.max_body or policy.caps.body),
        content=(media.JSON,) if content is None else content,
        body=BodySchema(files(whole.body)) if whole.body and files else None,
        fresh=units.duration(require.fresh) if require and require.fresh else 0,
        methods=require.methods if require else (),
        observe="observe" in (policy.mode, whole.mode),
        priority=whole.priority or "normal",
        sets_cookie=bool(whole.sets_cookie),
        endpoint=row.mounted,
    )


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
    """Name a rule in 12 letters; `Limit.key` tells apart what counts alike, and survives a changed figure."""
    digest = blake2b(f"{scope}\n{limit.per}".encode(), digest_size=8).digest()
    return base62(int.from_bytes(digest, "big"), 11) + ":"


def _grown(listed: Sequence[tuple[Demand, Plan]]) -> dict[str, Tree[Plan]]:
    """Grow a tree for each method. HEAD falls back to what GET demands (RFC 9110 section 9.3.2)."""
    trees: dict[str, Tree[Plan]] = {}
    for method in METHODS:
        # HEAD's own rows come last and take the place of GET's.
        for wanted in ("GET", "HEAD") if method == "HEAD" else (method,):
            for row, plan in listed:
                if wanted in row.parsed.methods:
                    trees.setdefault(method, Tree()).add(row.parsed.segments, plan)
    return trees


def _digest(policy: Policy, listed: Sequence[Plan]) -> str:
    """Tell two sets of plans apart: the policy, the names of all routes and every body schema."""
    digest = sha256(msgspec.json.encode(policy, order="sorted"))
    for plan in listed:
        digest.update(b"\n" + plan.route.encode() + b"\n" + (plan.body.source if plan.body else b""))
    return digest.hexdigest()
