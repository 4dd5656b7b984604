"""CORS and security headers around one ASGI or WSGI application, without the rest of Garrison.

Put it outermost, around the framework and not into its list of middleware: then the answer to an unhandled
exception carries the fields too, and the page can read the 500 it got.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from garrison.cors.answer import joined
from garrison.cors.live import LiveCors
from garrison.cors.site import compile_served, cross_site_write, foreign_handshake, is_ambient
from garrison.headers.finish import ending, finish, text_ending
from garrison.headers.profile import HeadersPolicy, compile_headers

if TYPE_CHECKING:
    from garrison.cors.answer import Cors
    from garrison.cors.rules import CorsPolicy
    from garrison.headers.finish import Ending
    from garrison.model.http.request import Header

__all__ = ["CorsMiddleware", "CorsWSGI"]

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
_Lines = tuple["Header", ...]
_TextHeader = tuple[str, str]
_StartResponse = Callable[..., Any]
_WSGIApp = Callable[[dict[str, Any], _StartResponse], Iterable[bytes]]

_METHOD = b"access-control-request-method"
_HEADERS = b"access-control-request-headers"
_QUESTIONS = frozenset((_METHOD, _HEADERS, b"access-control-request-private-network"))
_AUTHORITY = frozenset((b"cookie", b"authorization"))
_ENVIRON = tuple(
    ("HTTP_" + name.decode("ascii").upper().replace("-", "_"), name)
    for name in (b"origin", b"sec-fetch-site", *_AUTHORITY, *_QUESTIONS)
)
_STATUS = {204: "204 No Content", 403: "403 Forbidden", 500: "500 Internal Server Error"}
_POLICY_VIOLATION = 1008
"""Close code (RFC 6455 section 7.4.1); before the handshake is accepted, servers answer 403."""


def _body(status: int, title: str) -> tuple[int, tuple[Header, ...], bytes]:
    text = b'{"type":"about:blank","title":"%b","status":%d}' % (title.encode("ascii"), status)
    length = (b"content-length", b"%d" % len(text))
    return status, ((b"content-type", b"application/problem+json"), length), text


_FAILED = _body(500, "Internal error")
_CROSS_SITE = _body(403, "Cross-site request refused")


class _Edge:
    """What both wrappers know."""

    __slots__ = ("checks_writes", "ending", "live", "security", "served")

    def __init__(
        self,
        policy: CorsPolicy | LiveCors,
        served: Sequence[str] | None,
        headers: HeadersPolicy | None,
        *,
        debug: bool,
    ) -> None:
        self.live = policy if isinstance(policy, LiveCors) else LiveCors(policy, debug=debug)
        self.checks_writes = served is not None
        self.served = compile_served(served or ())
        self.security = compile_headers(headers) if headers is not None else None
        self.ending = ending()

    def secured(self, scheme: str, lines: Sequence[Header], grant: _Lines) -> tuple[Ending[bytes], _Lines]:
        """Add the security headers that belong on the answer to such a request."""
        if self.security is None:
            return self.ending, grant
        private = _is_private(lines)
        defaults = self.security.lines(secure=scheme == "https", private=private)
        return self.security.ending(private=private), (*defaults, *grant)

    def is_foreign_write(self, cors: Cors, method: str, lines: Sequence[Header]) -> bool:
        """Tell whether a page that is not trusted has a browser write with the user's authority."""
        if not is_ambient(joined(lines, b"cookie"), joined(lines, b"authorization")):
            return False
        if not cross_site_write(method, joined(lines, b"origin"), joined(lines, b"sec-fetch-site"), self.served, cors):
            return False
        cors.tally.count("cross_site")
        return True


class CorsMiddleware:
    """CORS around an ASGI application: `app = CorsMiddleware(app, policy=CorsPolicy(...))`.

    Preflights are answered here and reach no handler. A WebSocket handshake of a foreign page is refused. An
    exception that nothing was sent for is answered 500 with the fields a page needs to read it, and raised on.
    """

    def __init__(
        self,
        app: _ASGIApp,
        policy: CorsPolicy | LiveCors,
        *,
        served: Sequence[str] | None = None,
        headers: HeadersPolicy | None = None,
        debug: bool = False,
    ) -> None:
        """Wrap an application.

        Args:
            app: The application, its error handling included.
            policy: What is allowed; with a `LiveCors`, also what will be.
            served: Origins of this service. With them, writes that carry a cookie or Basic credentials must come
                from there or from an origin with credentials; every other is answered 403.
            headers: Security headers to send in the same pass; None: none.
            debug: Whether refused preflights tell the browser's console why.

        Raises:
            PolicyError: The policy, an origin or the headers have errors.
        """
        self.app = app
        self._edge = _Edge(policy, served, headers, debug=debug)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        edge, origin = self._edge, _origin(scope["headers"])
        cors = edge.live.current
        if origin is not None and scope["method"] == "OPTIONS" and await _preflight(cors, origin, scope, send):
            return
        how, ours, started = edge.ending, cors.grant(origin), False
        if edge.security is not None:
            how, ours = edge.secured(scope.get("scheme", "http"), scope["headers"], ours)

        def finishing(message: _Message) -> Awaitable[None]:
            # A plain function: one coroutine less for every message of every answer.
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": finish(message.get("headers", ()), how, ours)}
            return send(message)

        if edge.checks_writes and edge.is_foreign_write(cors, scope["method"], scope["headers"]):
            await _answer(finishing, *_CROSS_SITE)
            return
        try:
            await self.app(scope, receive, finishing)
        except Exception:
            if not started:
                await _answer(finishing, *_FAILED)
            raise

    async def _other(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """WebSocket handshakes, which no browser asks permission for; lifespan passes."""
        if scope["type"] == "websocket":
            lines, cors = scope["headers"], self._edge.live.current
            ambient = is_ambient(joined(lines, b"cookie"), joined(lines, b"authorization"))
            if foreign_handshake(joined(lines, b"origin"), self._edge.served, cors, ambient=ambient):
                cors.tally.count("handshake")
                await receive()
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
        await self.app(scope, receive, send)


class CorsWSGI:
    """CORS around a WSGI application: `application = CorsWSGI(application, policy=CorsPolicy(...))`.

    The same answers as `CorsMiddleware`. An exception that nothing was sent for is raised on once the 500 is out.
    """

    def __init__(
        self,
        app: _WSGIApp,
        policy: CorsPolicy | LiveCors,
        *,
        served: Sequence[str] | None = None,
        headers: HeadersPolicy | None = None,
        debug: bool = False,
    ) -> None:
        """Wrap an application; the arguments are those of `CorsMiddleware`.

        Raises:
            PolicyError: The policy, an origin or the headers have errors.
        """
        self.app = app
        self._edge = _Edge(policy, served, headers, debug=debug)
        public, private = (self._edge.secured("http", lines, ())[0] for lines in ((), ((b"cookie", b""),)))
        self._endings = text_ending(public), text_ending(private)

    def __call__(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        lines, cors = _lines(environ), self._edge.live.current
        origin, method = joined(lines, b"origin"), environ["REQUEST_METHOD"]
        question = _question(lines) if method == "OPTIONS" and origin is not None else None
        if origin is not None and question is not None:
            method, asked, private = question
            status, headers, _ = cors.preflight(origin, method, asked, private=private)
            start_response(_STATUS[status], list(_text(headers)))
            return []
        _, ours = self._edge.secured(environ["wsgi.url_scheme"], lines, cors.grant(origin))
        answer = _Answer(start_response, self._endings[_is_private(lines)], _text(ours))
        if self._edge.checks_writes and self._edge.is_foreign_write(cors, method, lines):
            return [answer.whole(*_CROSS_SITE)]
        try:
            chunks = self.app(environ, answer)
        except Exception as fault:
            if answer.started:
                raise
            return _then_raise(answer.whole(*_FAILED), fault)
        return chunks if answer.started else _watched(chunks, answer)


class _Answer:
    """`start_response` with the head finished."""

    __slots__ = ("_how", "_ours", "_start", "started")

    def __init__(self, start: _StartResponse, how: Ending[str], ours: tuple[_TextHeader, ...]) -> None:
        self._start, self._how, self._ours = start, how, ours
        self.started = False

    def __call__(self, status: str, headers: list[_TextHeader], *exc_info: Any) -> Any:
        self.started = True
        return self._start(status, finish(headers, self._how, self._ours), *exc_info)

    def whole(self, status: int, headers: tuple[Header, ...], body: bytes) -> bytes:
        self(_STATUS[status], list(_text(headers)))
        return body


def _origin(lines: Sequence[Header]) -> bytes | None:
    """`joined` for one name, without a list: it runs for every request."""
    origin: bytes | None = None
    for name, value in lines:
        if name == b"origin":
            origin = value if origin is None else origin + b", " + value
    return origin


class _Question(NamedTuple):
    """What a preflight asks."""

    method: bytes
    headers: bytes | None
    private: bool


def _question(lines: Sequence[Header]) -> _Question | None:
    """Read a preflight in one pass; None: it is an ordinary OPTIONS request."""
    method: bytes | None = None
    headers: bytes | None = None
    private = False
    for name, value in lines:
        if name not in _QUESTIONS:
            continue
        if name == _METHOD:
            method = value if method is None else method + b", " + value
        elif name == _HEADERS:
            headers = value if headers is None else headers + b", " + value
        else:
            private = value == b"true"
    return None if method is None else _Question(method, headers, private)


async def _preflight(cors: Cors, origin: bytes, scope: _Scope, send: _Send) -> bool:
    """Answer an OPTIONS request if it is a preflight; tell whether it was one."""
    question = _question(scope["headers"])
    if question is None:
        return False
    method, asked, private = question
    status, headers, _ = cors.preflight(origin, method, asked, private=private)
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})
    return True


async def _answer(send: _Send, status: int, headers: Sequence[Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def _is_private(lines: Sequence[Header]) -> bool:
    """Tell whether the request says who it is from, so that the answer is about one caller."""
    return any(name in _AUTHORITY for name, _ in lines)


def _lines(environ: dict[str, Any]) -> list[Header]:
    """Give the fields that matter here; WSGI servers have joined repeated lines by commas."""
    return [(name, environ[key].encode("latin-1")) for key, name in _ENVIRON if key in environ]


def _then_raise(body: bytes, fault: Exception) -> Iterator[bytes]:
    yield body
    raise fault


def _watched(body: Iterable[bytes], answer: _Answer) -> Iterator[bytes]:
    """An application that starts its answer with the first chunk may fail before it."""
    try:
        yield from body
    except Exception:
        if not answer.started:
            yield answer.whole(*_FAILED)
        raise
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


@lru_cache(maxsize=1024)
def _text(lines: tuple[Header, ...]) -> tuple[_TextHeader, ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in lines)
