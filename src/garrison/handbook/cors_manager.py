"""Row 9 of the chapter: CORS policies by name, and the answers to what a page asks.

Answers are dictionaries: `allowed`; `status_code`, 204 or 403 where the answer ends here, None where the application
gives it; `headers` to send; and `reason`, a stable word that is empty unless something was refused.

Where we do better than the chapter, on purpose: a policy with a mistake is refused with all of them at once, no
refused origin is ever written back, and a page that is not trusted cannot write with the user's cookie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from garrison.cors import (
    CorsPolicy,
    Surroundings,
    advise,
    check,
    compile_cors,
    compile_served,
    cross_site_write,
    is_ambient,
    joined,
)
from garrison.errors import PolicyError, UsageError
from garrison.handbook.arguments import checked, fits, otherwise
from garrison.handbook.twoway import both_ways, both_ways_or

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from garrison.cors import Cors
    from garrison.errors import Problem
    from garrison.model.http.request import Header

__all__ = [
    "MALFORMED",
    "CORSManager",
    "CORSPolicy",
    "CORSSecurityMiddleware",
    "development_policy",
    "preflight",
    "problems_of",
    "production_policy",
    "public_policy",
    "ready",
]

_DAY: Final = 86_400
"""Seconds that a browser may keep a preflight of `create_secure_policy`; Chromium keeps it for two hours."""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS: Final = ("Authorization", "Content-Type", "X-API-Key")
_EXPOSED: Final = ("X-Request-ID",)
_WORDS: Final = {
    "origins": "allowed_origins",
    "methods": "allowed_methods",
    "headers": "allowed_headers",
    "expose": "exposed_headers",
    "credentials": "allow_credentials",
}
"""The chapter's word for each field in which a mistake can be."""


MALFORMED: Final = {"allowed": False, "status_code": 403, "headers": {}, "reason": "malformed"}
"""The answer to what no browser sends: an origin, a method or fields that are no text."""


@dataclass(frozen=True, slots=True)
class CORSPolicy:
    """Which pages of other origins may read the answers, and what they may send."""

    allowed_origins: Iterable[str]
    """`https://app.example.com`, `https://*.example.com`, `http://localhost:*`, or `*` alone."""

    allowed_methods: Iterable[str]
    """GET, HEAD and POST need not be listed: browsers look at no list for them. `*`: all."""

    allowed_headers: Iterable[str]
    """Request fields that pages may set; `*`: all."""

    exposed_headers: Iterable[str]
    """Answer fields that pages may read."""

    allow_credentials: bool
    """Whether pages may send cookies and client certificates along, and read the answer."""

    max_age: int
    """Seconds that a browser may keep the answer to a preflight; 0: not at all."""


class CORSManager:
    """Policies by name, and one for those who name none. Without a policy, nothing is allowed."""

    def __init__(self) -> None:
        """Begin without any policy."""
        self._policies: dict[str, Cors] = {}
        self._default: Cors | None = None

    @both_ways
    async def add_policy(self, name: str, policy: CORSPolicy) -> None:
        """Keep a policy under a name; one that stood there is replaced.

        Raises:
            PolicyError: The policy has errors; it carries all of them.
        """
        self._policies[name] = ready(policy, name)

    @both_ways
    async def set_default_policy(self, policy: CORSPolicy | str) -> None:
        """Choose what holds where no policy is named: a policy, or the name of one that was added.

        Raises:
            PolicyError: The policy has errors.
            UsageError: No policy has that name.
        """
        self._default = self.compiled(policy) if isinstance(policy, str) else ready(policy, "default")

    @both_ways
    async def create_secure_policy(
        self, allowed_origins: Iterable[object], allow_credentials: bool = False
    ) -> CORSPolicy:
        """Make a policy for pages of known origins; it is not added yet.

        Origins that would be unsafe with credentials are dropped, whether or not they get any: `*`, `null`, http
        outside loopback, patterns below which strangers can get a host, and whatever is no origin.
        """
        texts = dict.fromkeys(origin for origin in allowed_origins if isinstance(origin, str))
        safe = tuple(origin for origin in texts if _is_safe(origin))
        return CORSPolicy(safe, _METHODS, _HEADERS, _EXPOSED, allow_credentials, _DAY)

    @both_ways_or(MALFORMED)
    async def handle_preflight_request(
        self, origin: str | None, method: str, headers: Iterable[str] | str | None, policy_name: str | None = None
    ) -> dict[str, Any]:
        """Answer whether a page may send a method and fields: 204, or 403. Without an Origin it is no preflight.

        Raises:
            UsageError: No policy has that name.
        """
        return preflight(self.compiled(policy_name), origin, method, headers)

    @both_ways_or(MALFORMED | {"status_code": None})
    async def handle_actual_request(self, origin: str | None, policy_name: str | None = None) -> dict[str, Any]:
        """Give the headers for an answer; without an Origin, nothing was asked and nothing is refused.

        A refused page gets no CORS headers, so its browser keeps the answer from it; the request is served.

        Raises:
            UsageError: No policy has that name.
        """
        return _actual(self.compiled(policy_name), _wire(origin) if origin else None)

    def compiled(self, policy_name: str | None) -> Cors | None:
        """Give a policy ready to answer; None: none is named, and there is no default.

        Raises:
            UsageError: No policy has that name.
        """
        if policy_name is None:
            return self._default
        if policy_name not in self._policies:
            raise UsageError(f"there is no CORS policy {policy_name[:80]!r}")
        return self._policies[policy_name]


class CORSSecurityMiddleware:
    """Judges whole requests, given as dictionaries with `method` and `headers`."""

    @checked
    def __init__(self, cors_manager: CORSManager, *, served: Sequence[str] = ()) -> None:
        """Stand before a service.

        Args:
            cors_manager: The policies.
            served: Origins of the service itself, whose pages may write.

        Raises:
            PolicyError: One of `served` is no origin.
        """
        self.cors_manager = cors_manager
        self._served = compile_served(served)

    @both_ways_or(MALFORMED)
    async def process_request(self, request: Mapping[str, Any], policy_name: str | None = None) -> dict[str, Any]:
        """Answer a preflight, refuse a cross-site write, or give the headers for the application's answer.

        A write that carries a cookie or Basic credentials is one that a browser may have sent for any page: it must
        come from an origin of the service or from one with credentials, or it is answered 403.

        Raises:
            UsageError: No policy has that name.
        """
        cors = self.cors_manager.compiled(policy_name)
        lines = _lines(request.get("headers"))
        if lines is None:
            return dict(MALFORMED)
        origin, method = joined(lines, b"origin"), str(request.get("method", ""))
        wanted = joined(lines, b"access-control-request-method")
        if method == "OPTIONS" and origin is not None and wanted is not None:
            return _preflight(cors, origin, wanted, joined(lines, b"access-control-request-headers"))
        found = _actual(cors, origin)
        if is_ambient(joined(lines, b"cookie"), joined(lines, b"authorization")):
            site = joined(lines, b"sec-fetch-site")
            reason = cross_site_write(method, origin, site, self._served, cors)
            return {**found, "allowed": False, "status_code": 403, "reason": reason} if reason else found
        return found


def development_policy() -> CORSPolicy:
    """Allow every page of this machine everything."""
    origins = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")
    return CORSPolicy(origins, _METHODS, _HEADERS, _EXPOSED, True, 0)


def production_policy(allowed_origins: Iterable[str]) -> CORSPolicy:
    """Allow pages of your own origins the usual, with credentials; a removed one is out after ten minutes."""
    return CORSPolicy(allowed_origins, _METHODS, _HEADERS, _EXPOSED, True, 600)


def public_policy() -> CORSPolicy:
    """Let every page read public data, without credentials."""
    return CORSPolicy(("*",), (), ("Content-Type",), _EXPOSED, False, _DAY)


def ready(policy: CORSPolicy, name: str) -> Cors:
    """Compile a policy.

    Raises:
        PolicyError: It has errors; it carries all of them, in the chapter's words.
    """
    problems = problems_of(policy, name)
    if any(problem.severity == "error" for problem in problems):
        raise PolicyError(problems)
    return compile_cors(_native(policy))


def problems_of(policy: CORSPolicy, name: str, *, production: bool = False) -> tuple[Problem, ...]:
    """Find every mistake of a policy; paths are in the chapter's words. In production loopback is one more warning."""
    found = []
    native = _native(policy)
    problems = check(native, "")
    if not any(problem.severity == "error" for problem in problems):
        problems += advise(native, Surroundings(production=production), "")
    for problem in problems:
        field, bracket, rest = problem.path.lstrip(".").partition("[")
        found.append(problem._replace(path=f"{name}.{_WORDS.get(field, field)}{bracket}{rest}"))
    return tuple(found)


@otherwise(MALFORMED)
def preflight(
    cors: Cors | None, origin: str | None, method: str, headers: Iterable[str] | str | None
) -> dict[str, Any]:
    """Answer a preflight that comes as texts."""
    if not origin:
        return _actual(cors, None)
    asked = headers if isinstance(headers, str) else ",".join(headers or ())
    return _preflight(cors, _wire(origin), _wire(method), _wire(asked))


def _preflight(cors: Cors | None, origin: bytes, method: bytes, asked: bytes | None) -> dict[str, Any]:
    if cors is None:
        return _answer(403, (), "policy")
    status, lines, reason = cors.preflight(origin, method, asked)
    return _answer(status, lines, reason)


def _actual(cors: Cors | None, origin: bytes | None) -> dict[str, Any]:
    if origin is None:
        return _answer(None, () if cors is None else cors.grant(None), "")
    if cors is None or not cors.allows(origin):
        return _answer(None, () if cors is None else cors.grant(origin), "policy" if cors is None else "origin")
    return _answer(None, cors.grant(origin), "")


def _answer(status: int | None, lines: Iterable[Header], reason: str) -> dict[str, Any]:
    """Write an answer as the dictionary of this module."""
    headers = {name.decode("ascii").title(): value.decode("latin-1") for name, value in lines}
    return {"allowed": not reason, "status_code": status, "headers": headers, "reason": reason}


def _native(policy: CORSPolicy) -> CorsPolicy:
    age = policy.max_age
    return CorsPolicy(
        origins=_listed(policy.allowed_origins),
        methods=_listed(policy.allowed_methods),
        headers=_listed(policy.allowed_headers),
        expose=_listed(policy.exposed_headers),
        credentials=policy.allow_credentials,
        max_age=f"{age}s" if type(age) is int else str(age),
    )


def _listed(names: Iterable[str]) -> Any:
    """What is no list stays what it is, so that `check` refuses it and does not read a text letter by letter."""
    return names if isinstance(names, str) or not hasattr(names, "__iter__") else tuple(names)


def _lines(sent: Any) -> list[Header] | None:
    """Read header fields from whatever lists them by name; None: they are no texts."""
    pairs = list(sent.items()) if hasattr(sent, "items") else ([] if sent is None else [sent])
    if not fits(pairs, list[tuple[str, str]]):
        return None
    return [(_wire(name).lower(), _wire(value)) for name, value in pairs]


def _is_safe(origin: str) -> bool:
    problems = check(CorsPolicy(origins=(origin,), credentials=True))
    return not any(problem.severity == "error" for problem in problems)


def _wire(text: str) -> bytes:
    """Text beyond latin-1 cannot have come in a field; it becomes something that matches nothing."""
    return text.encode("latin-1", "replace")
