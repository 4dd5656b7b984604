"""A limit on one endpoint of FastAPI or Starlette, without a policy file.

    @app.get("/search")
    @limit("10/m")
    def search(q: str) -> list[str]: ...

The counter belongs to the function, not to the path: `/users/1` and `/users/2` spend from the same one. It counts
per address unless told otherwise, and believes no forwarding header unless it is told whose.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_type_hints

from starlette.requests import HTTPConnection
from starlette.responses import Response

from garrison.errors import UsageError
from garrison.guard.drive import faced
from garrison.guard.respond import problem
from garrison.limits import Ask, Verdict, parse
from garrison.limits.headers import limit_headers, limit_refusal
from garrison.limits.subject import subject_key
from garrison.model.ids import random_id
from garrison.model.net import ForwardingHeader, Networks, address_subject, client_address
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.counters import MemoryCounters

if TYPE_CHECKING:
    from garrison.limits import Limit
    from garrison.stores.protocols import Counters

__all__ = ["limit"]

_log = logging.getLogger("garrison.limit")

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_CONNECTION: Final = "garrison_connection"
_RESPONSE: Final = "garrison_response"


def limit(
    *notations: str,
    by: Callable[[HTTPConnection], str] | None = None,
    trusted: Iterable[str] = (),
    header: ForwardingHeader = "x-forwarded-for",
    counters: Counters | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Limit an endpoint; several limits are spent in one step, all or none.

    A request too many is answered 429 with `Retry-After`, `RateLimit`, `RateLimit-Policy` and problem details;
    every other answer carries the two `RateLimit` fields.

    Args:
        *notations: `"10/m"`, `"at most 5 in 1h"`, `"4 at once"`; see `garrison.limits.notation`. Per address, or
            `per global` for all together. A place of `at once` is held until the endpoint returns.
        by: Whom to count instead, from the request: an API key, a user. Different texts never share a counter.
        trusted: Networks of one's own proxies, in CIDR form, or `unix`; only they are believed.
        header: The one header they write.
        counters: Where to count; by default in memory, shared by all limits of the process. An endpoint without
            `async` needs counters that do not wait.

    Raises:
        UsageError: No limit, a mistake in one, or one per principal, key or tenant without `by`.
    """
    limits = tuple(parse(notation) for notation in notations)
    if not limits:
        raise UsageError('write at least one limit, such as @limit("10/m")')
    if by is None and any(each.per not in {"address", "global"} for each in limits):
        raise UsageError("without a policy only addresses are known: pass by= to count anything else")
    gate = _Gate(limits, by, Networks(trusted), header, counters)
    return lambda endpoint: _guarded(endpoint, gate)


class _Gate:
    """What stands before an endpoint."""

    def __init__(
        self,
        limits: tuple[Limit, ...],
        by: Callable[[HTTPConnection], str] | None,
        trusted: Networks,
        header: ForwardingHeader,
        counters: Counters | None,
    ) -> None:
        self._limits = limits
        self._by = by
        self._trusted = trusted
        self._header: ForwardingHeader = header
        self._line = header.encode("ascii")
        self._holds = any(each.algorithm == "concurrency" for each in limits)
        self.counters = _counters() if counters is None else counters

    def asks(self, rule: str, connection: HTTPConnection) -> list[Ask]:
        """Say what a request spends."""
        party = self._by(connection) if self._by else address_subject(self._address(connection))
        return [Ask(subject_key(rule, "" if each.per == "global" else party), each) for each in self._limits]

    def _address(self, connection: HTTPConnection) -> str:
        client = connection.client
        lines = [value for name, value in connection.scope["headers"] if name == self._line]
        return client_address(client.host if client else "", lines, self._trusted, self._header).address

    def held(self, asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> list[Ask]:
        """Say what is to be given back when the endpoint returns."""
        if not self._holds:
            return []
        return [a._replace(lease=v.lease) for a, v in zip(asks, verdicts, strict=True) if v.lease]


def _guarded(endpoint: Endpoint, gate: _Gate) -> Endpoint:
    """Wrap an endpoint, and ask the framework for the connection and, where it has one, the answer's headers."""
    rule = _name(endpoint)
    signature, added = _with_parameters(endpoint)
    waits = inspect.iscoroutinefunction(endpoint)

    async def shell(*args: Any, **kwargs: Any) -> Any:
        connection, response = _taken(args, kwargs, added)
        asks = gate.asks(rule, connection)
        verdicts = await gate.counters.take(asks)
        if not all(verdict.allowed for verdict in verdicts):
            return _denied(connection, asks, verdicts)
        try:
            returned = endpoint(*args, **kwargs)
            return _told(await returned if waits else returned, response, asks, verdicts)
        finally:
            if held := gate.held(asks, verdicts):
                await gate.counters.release(held)

    guarded: Any = faced(shell, endpoint)
    guarded.__signature__ = signature
    return cast("Endpoint", guarded)


_named: Counter[str] = Counter()
"""How many endpoints have each name so far."""


def _name(endpoint: Callable[..., Any]) -> str:
    """Name an endpoint's counter: two that a factory made have one name, and are told apart by which came first.

    Every worker loads the modules in the same order, so that they mean the same one.
    """
    name = f"{endpoint.__module__}.{endpoint.__qualname__}"
    _named[name] += 1
    return name if _named[name] == 1 else f"{name}#{_named[name]}"


def _with_parameters(endpoint: Callable[..., Any]) -> tuple[inspect.Signature, frozenset[str]]:
    """Add the parameters that the endpoint lacks; FastAPI fills them by their types, Starlette looks at none."""
    signature = inspect.signature(endpoint)
    try:
        known = list(get_type_hints(endpoint).values())
    except (NameError, TypeError):
        # A name that only type checkers see; the framework will find what it needs, or say so itself.
        known = []
    wanted = {_CONNECTION: HTTPConnection, _RESPONSE: Response}
    missing = {
        name: kind for name, kind in wanted.items() if name not in signature.parameters and not _has(known, kind)
    }
    parameters = list(signature.parameters.values())
    last = next((at for at, each in enumerate(parameters) if each.kind is each.VAR_KEYWORD), len(parameters))
    parameters[last:last] = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in missing.items()
    ]
    return signature.replace(parameters=parameters), frozenset(missing)


def _has(known: Iterable[object], kind: type) -> bool:
    """Tell whether FastAPI fills a parameter of this kind already: it fills only one of them."""
    if kind is HTTPConnection:
        return any(each is HTTPConnection for each in known)
    return any(isinstance(each, type) and issubclass(each, kind) for each in known)


def _taken(args: tuple[Any, ...], kwargs: dict[str, Any], added: frozenset[str]) -> tuple[HTTPConnection, Any]:
    """Find the connection and the response, and take out what the endpoint did not ask for."""
    values = [*kwargs.values(), *args]
    connection = next((value for value in values if isinstance(value, HTTPConnection)), None)
    response = next((value for value in values if isinstance(value, Response)), None)
    for name in added:
        kwargs.pop(name, None)
    if connection is None:
        raise UsageError("@limit stands directly above a function that FastAPI or Starlette calls with a request")
    return connection, response


def _denied(connection: HTTPConnection, asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> Response:
    """Answer 429, under the name that a guard in front has given the request."""
    refusal = limit_refusal(asks, verdicts)
    correlation = connection.scope.get("state", {}).get("correlation") or random_id(os.urandom)
    _log.info("%s; correlation %s", refusal.reason, correlation)
    answer = problem(refusal, correlation)
    response = Response(answer.body, answer.status)
    response.raw_headers += [*answer.headers, *limit_headers(asks, verdicts)]
    return response


def _told(returned: Any, response: Any, asks: Sequence[Ask], verdicts: Sequence[Verdict]) -> Any:
    """Put the fields on the answer: the one that is returned, or the one FastAPI will make."""
    target = returned if isinstance(returned, Response) else response
    if target is not None:
        target.raw_headers += limit_headers(asks, verdicts)
    return returned


@cache
def _counters() -> MemoryCounters:
    """The counters of this process, made on first use."""
    return MemoryCounters(SystemClock())
