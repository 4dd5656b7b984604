"""A CORS policy compiled: what each origin is answered, as header lines made in advance.

An instance never changes what it answers, so a request keeps the one it began with while another is put in
force. It answers `Origin` values as they came, two lines joined by a comma; what has not matched byte for byte
or passed the grammar is never written back.

Sources: Fetch standard, CORS protocol and HTTP caches; RFC 9110 sections 5.6.1 (lists) and 12.5.5 (`Vary`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.names import FORBIDDEN_METHODS, SAFELISTED_METHODS, is_token
from garrison.cors.origin import LONGEST
from garrison.cors.pattern import Matcher
from garrison.cors.rules import LONGEST_ASK, MOST_ASKED, CorsPolicy, check, patterns
from garrison.cors.tally import REASONS, Tally
from garrison.errors import PolicyError
from garrison.model.units import SECOND, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.model.http.request import Header

__all__ = ["LIMITED", "PREFLIGHT_VARY", "VARY", "Cors", "Preflight", "compile_cors", "joined"]

_Lines = tuple["Header", ...]

LIMITED = (b"retry-after", b"ratelimit", b"ratelimit-policy")
"""Fields of a limited answer; a page must be able to read them, or it cannot wait."""

VARY: Header = (b"vary", b"Origin")
PREFLIGHT_VARY: Header = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")

_MOST_GRANTS = 1024
"""Grants of origins that only a pattern covers; a caller may invent those, so they must not pile up."""

_MOST_FOREIGN = 512
_MOST_PREFLIGHTS = 1024
_LONGEST_REMEMBERED = 256
"""Bytes of a preflight's header list that is worth remembering."""

_ORIGIN = b"access-control-allow-origin"
_CREDENTIALS: Header = (b"access-control-allow-credentials", b"true")
_PRIVATE: Header = (b"access-control-allow-private-network", b"true")
_NO_BODY: Header = (b"content-length", b"0")
_NOTHING: _Lines = ()


class Preflight(NamedTuple):
    """The whole answer to a preflight; it has no body."""

    status: int
    headers: _Lines
    reason: str
    """Why it was refused, one of `garrison.cors.tally.REASONS`; empty: it was not."""


class Cors:
    """One policy, ready to answer; made by `compile_cors`."""

    __slots__ = (
        "_always",
        "_any_header",
        "_any_method",
        "_exposed",
        "_foreign",
        "_grants",
        "_headers",
        "_matcher",
        "_methods",
        "_preflights",
        "_refused",
        "_static",
        "debug",
        "policy",
        "tally",
    )

    def __init__(self, policy: CorsPolicy, tally: Tally, *, debug: bool) -> None:
        """Compile a policy that is known to be sound; use `compile_cors`."""
        self.policy = policy
        self.tally = tally
        self.debug = debug
        self._matcher = Matcher(patterns(policy))
        self._methods = SAFELISTED_METHODS.union(name.encode("ascii") for name in policy.methods)
        self._headers = frozenset(name.lower().encode("ascii") for name in policy.headers)
        self._any_method = "*" in policy.methods
        self._any_header = "*" in policy.headers
        # Pairs: for an ordinary answer, and for one that carries rate-limit fields.
        self._exposed = _exposed(policy, ()), _exposed(policy, LIMITED)
        # Where every origin gets the same answer, a cache may give it to all of them.
        public = ((_ORIGIN, b"*"), *self._exposed[0]), ((_ORIGIN, b"*"), *self._exposed[1])
        self._always: tuple[_Lines, _Lines] = public if self._matcher.any else ((VARY,), (VARY,))
        self._grants: tuple[dict[bytes, _Lines], dict[bytes, _Lines]] = {}, {}
        self._foreign: dict[bytes, str] = {}
        self._preflights: dict[tuple[bytes, bytes, bytes | None], Preflight] = {}
        self._refused = {reason: Preflight(403, (PREFLIGHT_VARY, _NO_BODY), reason) for reason in REASONS}
        self._static = _static(policy)

    def grant(self, origin: bytes | None, *, limited: bool = False) -> _Lines:
        """Give the lines that an ordinary answer carries, errors and redirects included; `finish` merges the `vary`.

        Args:
            origin: The request's Origin; None: it has none.
            limited: Whether the answer carries rate-limit fields, which are then exposed as well.

        Returns:
            Only `vary` for an origin that is not allowed, and for a request without Origin: it asked nothing.
        """
        if origin is None or self._matcher.any:
            return self._always[limited]
        lines = self._grants[limited].get(origin)
        return self._judge(origin, limited=limited) if lines is None else lines

    def allows(self, origin: bytes | None) -> bool:
        """Tell whether pages of the origin may read answers."""
        return origin is not None and self._matcher.matches(origin)

    def trusts(self, origin: bytes | None) -> bool:
        """Tell whether pages of the origin may act as the user: only where the policy allows credentials."""
        return self.policy.credentials and self.allows(origin)

    def refusal(self, origin: bytes, method: bytes, asked: bytes | None) -> str:
        """Say why a preflight is refused: `origin`, `method` or `header`; empty: it is not. Counts nothing."""
        if origin in self._foreign or not self._matcher.matches(origin):
            return "origin"
        if not self._takes(method):
            return "method"
        return "header" if self._allowed_names(asked) is None else ""

    def preflight(
        self, origin: bytes, method: bytes, asked: bytes | None = None, *, private: bool = False
    ) -> Preflight:
        """Answer an OPTIONS request that has both Origin and Access-Control-Request-Method.

        Args:
            origin: The request's Origin.
            method: Its Access-Control-Request-Method.
            asked: Its Access-Control-Request-Headers, several lines joined by commas; None: it has none.
            private: Whether it has Access-Control-Request-Private-Network.

        Returns:
            204 with everything the policy allows, or 403. With `debug`, a refusal is a 204 that leaves out what was
            refused, so that the browser's console names it.
        """
        private = private and self.policy.private_network
        # A long list is not even hashed.
        if not private and (asked is None or len(asked) <= _LONGEST_REMEMBERED):
            known = self._preflights.get((origin, method, asked))
            if known is not None:
                return known
        return self._preflight(origin, method, asked, private=private)

    def _judge(self, origin: bytes, *, limited: bool) -> _Lines:
        if origin in self._foreign or not self._matcher.matches(origin):
            self._count_foreign(origin)
            return self._always[limited]
        lines = (*self._origin_lines(origin), *self._exposed[limited], VARY)
        grants = self._grants[limited]
        if origin in self._matcher.exact or len(grants) < _MOST_GRANTS:
            grants[origin] = lines
        return lines

    def _count_foreign(self, origin: bytes) -> str:
        """Count a refused origin; the last few hundred are judged once each."""
        reason = self._foreign.get(origin)
        if reason is not None:
            self.tally.counts[reason] += 1
            return reason
        reason = self.tally.origin(origin)
        if len(self._foreign) >= _MOST_FOREIGN:
            self._foreign.clear()
        if len(origin) <= LONGEST:
            self._foreign[origin] = reason
        return reason

    def _origin_lines(self, origin: bytes) -> _Lines:
        if self._matcher.any:
            return ((_ORIGIN, b"*"),)
        granted = (_ORIGIN, origin)
        return (granted, _CREDENTIALS) if self.policy.credentials else (granted,)

    def _preflight(self, origin: bytes, method: bytes, asked: bytes | None, *, private: bool) -> Preflight:
        refused = self.refusal(origin, method, asked)
        if refused:
            return self._refuse(origin, method, refused)
        names = self._allowed_names(asked) or ()
        lines = (*self._origin_lines(origin), *self._method_lines(method), *self._header_lines(names))
        answer = Preflight(204, (*lines, *((_PRIVATE,) if private else ()), *self._static), "")
        if not private and len(asked or b"") <= _LONGEST_REMEMBERED and len(self._preflights) < _MOST_PREFLIGHTS:
            self._preflights[(origin, method, asked)] = answer
        return answer

    def _takes(self, method: bytes) -> bool:
        """Methods are compared byte for byte; browsers write the usual ones in upper case themselves."""
        if method == b"*":
            return False
        if method in self._methods:
            return True
        return self._any_method and is_token(method) and method.upper() not in FORBIDDEN_METHODS

    def _allowed_names(self, asked: bytes | None) -> list[bytes] | None:
        """Read the list (RFC 9110 section 5.6.1), in any order, empty elements ignored; None: refused."""
        if not asked:
            return []
        if len(asked) > LONGEST_ASK or asked.count(b",") >= MOST_ASKED:
            return None
        names = [name for part in asked.lower().split(b",") if (name := part.strip(b" \t"))]
        if not self._any_header:
            return names if self._headers.issuperset(names) else None
        authorized = self.policy.credentials or b"authorization" in self._headers
        good = all(is_token(name) and (authorized or name != b"authorization") for name in names)
        return names if good else None

    def _method_lines(self, method: bytes) -> _Lines:
        if self._any_method and self.policy.credentials:
            # With credentials browsers take `*` for a method of that name.
            return ((b"access-control-allow-methods", method),)
        value = ", ".join(self.policy.methods)
        return ((b"access-control-allow-methods", value.encode("ascii")),) if value else ()

    def _header_lines(self, names: Sequence[bytes]) -> _Lines:
        if self._any_header and self.policy.credentials:
            value = b", ".join(dict.fromkeys(names))
        elif self._any_header:
            value = b"*, authorization" if b"authorization" in self._headers else b"*"
        else:
            value = ", ".join(self.policy.headers).lower().encode("ascii")
        return ((b"access-control-allow-headers", value),) if value else ()

    def _refuse(self, origin: bytes, method: bytes, refused: str) -> Preflight:
        """A refused origin is told nothing; in debug an allowed one is told everything up to the refusal."""
        foreign = refused == "origin"
        reason = self._count_foreign(origin) if foreign else refused
        if not foreign:
            self.tally.count(refused)
        if not self.debug:
            return self._refused[reason]
        lines = _NOTHING if foreign else self._origin_lines(origin)
        methods = self._method_lines(method) if refused == "header" else _NOTHING
        return Preflight(204, (*lines, *methods, PREFLIGHT_VARY), reason)


def compile_cors(policy: CorsPolicy, path: str = "cors", *, tally: Tally | None = None, debug: bool = False) -> Cors:
    """Compile a policy.

    Args:
        policy: What is allowed.
        path: Where the policy stands, for its problems.
        tally: Counters to go on with.
        debug: Whether refused preflights tell the browser's console why. Not for production: it tells others too.

    Raises:
        PolicyError: The policy has errors; it carries all of them, and the warnings.
    """
    problems = check(policy, path)
    if any(problem.severity == "error" for problem in problems):
        raise PolicyError(problems)
    return Cors(policy, tally or Tally(), debug=debug)


def joined(headers: Sequence[Header], name: bytes) -> bytes | None:
    """Give a field's lines joined by commas, as Fetch reads them; None: there is no line.

    Two Origin lines so become a value that matches nothing: which of them counts must not be a matter of taste.
    """
    values = [value for field, value in headers if field == name]
    return b", ".join(values) if values else None


def _exposed(policy: CorsPolicy, further: Sequence[bytes]) -> _Lines:
    names = [name.encode("ascii") for name in policy.expose]
    listed = {name.lower() for name in names}
    if b"*" not in listed:
        names += [name for name in further if name not in listed]
    return ((b"access-control-expose-headers", b", ".join(names)),) if names else ()


def _static(policy: CorsPolicy) -> _Lines:
    """What ends every granted preflight. 0 is sent as well: without the field browsers keep the answer 5 s."""
    seconds = duration(policy.max_age) // SECOND
    return ((b"access-control-max-age", b"%d" % seconds), PREFLIGHT_VARY)
