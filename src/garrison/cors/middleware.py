"""CORS and security headers around one ASGI or WSGI application, without the rest of Garrison.

Put it outermost, around the framework and not into its list of middleware: then the answer to an unhandled
exception carries the fields too, and the page can read the 500 it got.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from garrison.cors.answer import joined
from garrison.cors.live import LiveCors
from garrison.cors.site import SAFE, compile_served, cross_site_write, foreign_handshake, is_ambient
from garrison.headers.finish import ending, finish, text_ending
from garrison.headers.profile import HeadersPolicy, compile_headers

if TYPE_CHECKING:
    from garrison.cors.answer import Cors
    from garrison.cors.rules import CorsPolicy
    from garrison.headers.finish import Ending
    from garrison.model.request import Header

__all__ = ["CorsMiddleware", "CorsWSGI"]

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
_TextHeader = tuple[str, str]
_StartResponse = Callable[..., Any]
_WSGIApp = Callable[[dict[str, Any], _StartResponse], Iterable[bytes]]

_NO_CONTENT_LENGTH: Header = (b"content-length", b"0")
_ASKS = b"access-control-request-method"
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

    __slots__ = ("_cors_only", "_security", "checks_writes", "live", "served")

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
        self._security = compile_headers(headers) if headers is not None else None
        self._cors_only = ending()

    def head(self, *, secure: bool, private: bool) -> tuple[Ending[bytes], tuple[Header, ...]]:
        """Give what `finish` needs for answers of this kind."""
        if self._security is None:
            return self._cors_only, ()
        return self._security.ending(private=private), self._security.lines(secure=secure, private=private)


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
        cors, origin, method = self._edge.live.current, None, scope["method"]
        lines: Sequence[Header] = scope["headers"]
        for name, value in lines:
            if name == b"origin":
                origin = value if origin is None else origin + b", " + value
        if method == "OPTIONS" and origin is not None and (asked := joined(lines, _ASKS)) is not None:
            await self._preflight(cors, origin, asked, lines, send)
            return
        grant, vary, started = cors.grant(origin), cors.vary, False
        how, defaults = self._edge.head(secure=scope.get("scheme") == "https", private=_is_private(lines))

        def finishing(message: _Message) -> Awaitable[None]:
            # A plain function: one coroutine less for every message of every answer.
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                head = finish(message.get("headers", ()), how, defaults, grant, vary)
                message = {**message, "headers": head}
            return send(message)

        if self._edge.checks_writes and method not in SAFE and self._foreign(cors, method, lines):
            await _answer(finishing, *_CROSS_SITE)
            return
        try:
            await self.app(scope, receive, finishing)
        except Exception:
            if not started:
                await _answer(finishing, *_FAILED)
            raise

    async def _preflight(self, cors: Cors, origin: bytes, method: bytes, lines: Sequence[Header], send: _Send) -> None:
        asked = joined(lines, b"access-control-request-headers")
        private = joined(lines, b"access-control-request-private-network") == b"true"
        status, headers, _ = cors.preflight(origin, method, asked, private=private)
        await _answer(send, status, headers if status == 204 else (*headers, _NO_CONTENT_LENGTH), b"")

    def _foreign(self, cors: Cors, method: str, lines: Sequence[Header]) -> bool:
        if not is_ambient(joined(lines, b"cookie"), joined(lines, b"authorization")):
            return False
        origin, site = joined(lines, b"origin"), joined(lines, b"sec-fetch-site")
        if not cross_site_write(method, origin, site, self._edge.served, cors):
            return False
        cors.tally.count("cross_site")
        return True

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
        public, private = (self._edge.head(secure=False, private=private)[0] for private in (False, True))
        self._endings = text_ending(public), text_ending(private)

    def __call__(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        cors, origin, method = self._edge.live.current, _field(environ, "ORIGIN"), environ["REQUEST_METHOD"]
        if method == "OPTIONS" and origin is not None:
            asked = _field(environ, "ACCESS_CONTROL_REQUEST_METHOD")
            if asked is not None:
                return _preflight(cors, origin, asked, environ, start_response)
        cookie, authorization = _field(environ, "COOKIE"), _field(environ, "AUTHORIZATION")
        secure = environ.get("wsgi.url_scheme") == "https"
        private = cookie is not None or authorization is not None
        _, defaults = self._edge.head(secure=secure, private=private)
        how = self._endings[private]
        answer = _Answer(start_response, how, _text(defaults), _text(cors.grant(origin)), cors.vary)
        if self._edge.checks_writes and is_ambient(cookie, authorization):
            site = _field(environ, "SEC_FETCH_SITE")
            if cross_site_write(method, origin, site, self._edge.served, cors):
                cors.tally.count("cross_site")
                return [answer.whole(*_CROSS_SITE)]
        try:
            body = self.app(environ, answer)
        except Exception as fault:
            if answer.started:
                raise
            return _then_raise(answer.whole(*_FAILED), fault)
        return body if answer.started else _watched(body, answer)


class _Answer:
    """`start_response` with the head finished."""

    __slots__ = ("_defaults", "_grant", "_how", "_start", "_vary", "started")

    def __init__(
        self,
        start: _StartResponse,
        how: Ending[str],
        defaults: tuple[_TextHeader, ...],
        grant: tuple[_TextHeader, ...],
        vary: bytes,
    ) -> None:
        self._start, self._how, self._defaults, self._grant = start, how, defaults, grant
        self._vary = vary.decode("ascii")
        self.started = False

    def __call__(self, status: str, headers: Sequence[_TextHeader], *exc_info: Any) -> Any:
        self.started = True
        return self._start(status, finish(headers, self._how, self._defaults, self._grant, self._vary), *exc_info)

    def whole(self, status: int, headers: tuple[Header, ...], body: bytes) -> bytes:
        self(_STATUS[status], _text(headers))
        return body


async def _answer(send: _Send, status: int, headers: Sequence[Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def _is_private(lines: Sequence[Header]) -> bool:
    return any(name in {b"cookie", b"authorization"} for name, _ in lines)


def _field(environ: dict[str, Any], name: str) -> bytes | None:
    value = environ.get(f"HTTP_{name}")
    return None if value is None else value.encode("latin-1")


def _preflight(
    cors: Cors, origin: bytes, method: bytes, environ: dict[str, Any], start: _StartResponse
) -> Iterable[bytes]:
    private = _field(environ, "ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == b"true"
    asked = _field(environ, "ACCESS_CONTROL_REQUEST_HEADERS")
    status, headers, _ = cors.preflight(origin, method, asked, private=private)
    start(_STATUS[status], list(_text(headers if status == 204 else (*headers, _NO_CONTENT_LENGTH))))
    return []


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
