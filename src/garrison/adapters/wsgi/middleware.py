"""The guard as WSGI middleware: the same path as ASGI, driven without a loop."""

from __future__ import annotations

import logging
from http.client import responses
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from garrison.adapters.refused import RefusedError
from garrison.adapters.wsgi.body import Capped, read_whole
from garrison.adapters.wsgi.held import held
from garrison.errors import OwnershipError
from garrison.guard.content import has_body
from garrison.guard.drive import drive
from garrison.guard.finish import finish, finish_own
from garrison.guard.respond import problem
from garrison.model.http.identity import IDENTITY
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.request import Request
from garrison.runtime.compose import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from garrison.credentials.authenticate import Authenticate
    from garrison.guard.decision import Decision
    from garrison.guard.guard import Guard
    from garrison.model.http.response import Response
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime

    Environ = dict[str, Any]
    StartResponse = Callable[..., Callable[[bytes], object]]
    App = Callable[[Environ, StartResponse], Iterable[bytes]]

__all__ = ["CORRELATION", "PRINCIPAL", "GarrisonWSGI", "identify", "read_environ"]

PRINCIPAL = "garrison.principal"
"""Where the application finds who acts, in the WSGI environment."""

_IDENTITY = frozenset(f"HTTP_{name.decode('ascii').upper().replace('-', '_')}" for name in IDENTITY)
_log = logging.getLogger("garrison.wsgi")

CORRELATION = "garrison.correlation"
"""Where it finds the correlation id."""


class GarrisonWSGI:
    """Guards a WSGI application by a policy."""

    def __init__(
        self,
        app: App,
        policy: Policy | Path | str = "garrison.toml",
        *,
        authenticate: Authenticate | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Compile the policy and open its stores.

        Args:
            app: The application to guard.
            policy: A policy, or the path of one.
            authenticate: The application's own `authenticate(request) -> Principal | None`, tried when no key
                and no token is presented.
            runtime: A runtime composed elsewhere, instead of one for this policy.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
        """
        self.app = app
        self.runtime = runtime or compose(policy, authenticate=authenticate)
        self.guard = self.runtime.driven

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        self.runtime.start()
        request = read_environ(environ)
        decision = drive(self.guard.decide(request))
        if decision.answer is None:
            self._take_body(request, decision, environ)
        if decision.answer is not None:
            drive(self.guard.release(decision))
            return _answer(request, decision, decision.answer, start_response)
        identify(environ, request, decision)
        return self._serve(request, decision, environ, start_response)

    def _take_body(self, request: Request, decision: Decision, environ: Environ) -> None:
        """Hold the body to its caps."""
        plan = decision.plan
        if plan.endpoint is None and not has_body(request):
            # Nothing announced a body, so nothing was judged, and the server's input may hold one (HTTP/2).
            environ["wsgi.input"] = Capped.of(b"")
            return
        if self.guard.refuses_body(request, decision):
            return
        if not self.guard.judges_body(request, decision):
            environ["wsgi.input"] = Capped(environ["wsgi.input"], request, plan.max_body, decision.force)
            return
        body: bytes | Refusal = b""
        if has_body(request):
            body = read_whole(environ["wsgi.input"], request, plan.max_body, decision.force)
        drive(self.guard.take_body(request, decision, body))
        if type(body) is bytes:
            environ["wsgi.input"] = Capped.of(body)
            environ["CONTENT_LENGTH"] = str(len(body))

    def _serve(
        self, request: Request, decision: Decision, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let the application answer; what it raises is answered here, and logged."""
        outgoing = _Outgoing(request, decision, start_response, self.guard, self.runtime.clock.monotonic)
        try:
            return outgoing.body(self.app(environ, outgoing))
        except OwnershipError:
            refusal = refuse("not_found", "not_owner")
        except RefusedError as error:
            refusal = error.refusal
        except Exception:
            _log.exception("the application failed; correlation %s", decision.correlation)
            refusal = refuse("internal_error", "unhandled")
        drive(self.guard.release(decision))
        return _answer(request, decision, problem(refusal, decision.correlation), start_response)


class _Outgoing:
    """A `start_response` that finishes headers, and withholds a success whose ownership was never proved."""

    __slots__ = ("_decision", "_guard", "_monotonic", "_replacement", "_request", "_start")

    def __init__(
        self,
        request: Request,
        decision: Decision,
        start: StartResponse,
        guard: Guard,
        monotonic: Callable[[], int],
    ) -> None:
        self._guard = guard
        self._monotonic = monotonic
        self._request = request
        self._decision = decision
        self._start = start
        self._replacement: Response | None = None

    def __call__(self, status: str, headers: list[tuple[str, str]], *exc: Any) -> Callable[[bytes], object]:
        """Begin the application's answer, or replace it."""
        code = int(status[:3])
        self._replacement = self._guard.withhold(self._request, self._decision, code)
        if self._replacement is not None:
            return _ignore
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return self._start(status, _text(finish(self._decision, self._request, code, lines)), *exc)

    def body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """Give the application's body, or the one that replaces it.

        An application may call `start_response` only when its body is first asked for, so the first piece is
        asked for here.
        """
        pieces = iter(body)
        first = list(islice(pieces, 1))
        if self._replacement is None:
            return _Body(self._held(chain(first, pieces)), self, body)
        self.close(body)
        return _answer(self._request, self._decision, self._replacement, self._start)

    def _held(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        if not self._decision.principal.credential:
            return pieces
        return held(pieces, self._guard, self._request, self._decision, self._monotonic)

    def close(self, body: Iterable[bytes]) -> None:
        """Let the application clean up, and give back what concurrency limits hold."""
        try:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        finally:
            drive(self._guard.release(self._decision))


class _Body:
    """A body whose end is passed on to the application (PEP 3333: `close`)."""

    __slots__ = ("_outgoing", "_pieces", "_source")

    def __init__(self, pieces: Iterator[bytes], outgoing: _Outgoing, source: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._outgoing = outgoing
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """End the exchange."""
        self._outgoing.close(self._source)


def _ignore(_: bytes) -> None:
    """Take what an application writes into an answer that is withheld."""


def _answer(request: Request, decision: Decision, response: Response, start_response: StartResponse) -> Iterable[bytes]:
    start_response(_status(response.status), _text(finish_own(decision, request, response)))
    return [b"" if request.method == "HEAD" else response.body]


def _status(code: int) -> str:
    return f"{code} {responses.get(code, 'Unknown')}"


def _text(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def identify(environ: Environ, request: Request, decision: Decision) -> None:
    """Tell the application who acts, and nothing that the caller wrote about it."""
    if not IDENTITY.isdisjoint(request.fields):
        for name in _IDENTITY.intersection(environ):
            del environ[name]
    environ[PRINCIPAL] = decision.principal
    environ[CORRELATION] = decision.correlation


def read_environ(environ: Environ) -> Request:
    """Translate a WSGI environment.

    A path that is no UTF-8 keeps its replacement characters, which the route table refuses as ambiguous.
    """
    method = environ["REQUEST_METHOD"]
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")) or "/"
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return Request(
        # An HTTP request that calls its method WS must not open what is a WebSocket's.
        "ws" if method == "WS" else method,
        path.encode("latin-1", "replace").decode("utf-8", "replace"),
        _headers(environ),
        raw_path=raw.partition("?")[0].encode("latin-1", "replace") if raw.startswith("/") else b"",
        query=environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        scheme=environ.get("wsgi.url_scheme", "http"),
        peer=environ.get("REMOTE_ADDR", ""),
    )


def _headers(environ: Environ) -> list[tuple[bytes, bytes]]:
    """List the header fields; servers have joined repeated ones with commas already."""
    headers = [
        (name[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        value = environ.get(name)
        if value:
            headers.append((name.replace("_", "-").lower().encode(), value.encode("latin-1", "replace")))
    return headers
