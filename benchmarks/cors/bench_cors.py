"""What does CORS add to a request? Rival: Starlette's CORSMiddleware, on the same application, without network.

Also: do 100,000 origins cost more than 10, and what does 8 KB of hostile preflight list cost against an ordinary
preflight. Not measured: the server, the network, memory. Nine ordinary request fields; a granted GET is the
figure that counts, the others show that no kind of request is paid for by another.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

from starlette.middleware.cors import CORSMiddleware

from benchmarks.figure import Figure, added, figure, import_cpu, medians, run
from garrison.cors import CorsMiddleware, CorsPolicy
from garrison.headers.profile import HeadersPolicy

__all__ = ["figures"]

_ORIGINS = ("https://app.example.com", "https://admin.example.org")
_METHODS = ("GET", "POST", "PUT", "DELETE")
_HEADERS = ("Authorization", "Content-Type", "X-Token")
_EXPOSE = ("X-Request-Id",)
_ORDINARY = [
    (b"host", b"api.example.net"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json"),
    (b"accept-language", b"en"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"referer", b"https://app.example.com/"),
    (b"authorization", b"Bearer 0123456789"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
]
_ORIGIN = b"origin"
_LISTED = (_ORIGIN, b"https://app.example.com")
_FOREIGN = (_ORIGIN, b"https://evil.example.net")
_ASKS = (b"access-control-request-method", b"PUT")
_NAMES = (b"access-control-request-headers", b"authorization,content-type,x-token")
_HOSTILE = (
    (b"access-control-request-headers", b"," * 8192),
    (b"access-control-request-headers", b",".join(b"x-%05d" % number for number in range(1024))),
    (b"access-control-request-headers", b"a, " * 127 + b"b" * 1600),
)
_REQUESTS = {
    "GET with a listed origin": ("GET", [_LISTED]),
    "GET without Origin": ("GET", []),
    "GET with a foreign origin": ("GET", [_FOREIGN]),
    "preflight": ("OPTIONS", [_LISTED, _ASKS, _NAMES]),
    "refused preflight": ("OPTIONS", [_FOREIGN, _ASKS, _NAMES]),
}


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_message: Any) -> None:
    return


def figures() -> list[Figure]:
    """Measure; some ten seconds."""
    return [*_against_starlette(), _secured(), *_many_origins(), *_hostile(), _imports()]


def _policy(origins: tuple[str, ...] = _ORIGINS) -> CorsPolicy:
    return CorsPolicy(origins=origins, methods=_METHODS, headers=_HEADERS, expose=_EXPOSE, credentials=True)


def _rival() -> CORSMiddleware:
    return CORSMiddleware(
        _app,
        allow_origins=_ORIGINS,
        allow_methods=_METHODS,
        allow_headers=_HEADERS,
        expose_headers=_EXPOSE,
        allow_credentials=True,
    )


def _call(app: Callable[..., Any], method: str, *further: tuple[bytes, bytes]) -> Callable[[], object]:
    headers = [*_ORDINARY, *further]
    scope = {"type": "http", "method": method, "path": "/", "scheme": "https", "headers": headers}
    return lambda: run(app(scope, _receive, _send))


def _against_starlette() -> list[Figure]:
    ours, rival, made = CorsMiddleware(_app, _policy()), _rival(), []
    for name, (method, fields) in _REQUESTS.items():
        cost = added(*(_call(app, method, *fields) for app in (ours, rival, _app)), calls=2_000)
        made.append(figure(f"cors: {name}, cost added against Starlette's", *cost, bar=1 / 3))
    return made


def _secured() -> Figure:
    """Both in one wrapper must be dearer than CORS alone by little: the walk over the head is shared."""
    both, alone = CorsMiddleware(_app, _policy(), headers=HeadersPolicy()), CorsMiddleware(_app, _policy())
    cost = added(*(_call(app, "GET", _LISTED) for app in (both, alone, _app)), calls=2_000)
    return figure("cors: with the api profile's security headers, cost added against CORS alone", *cost, bar=2)


def _many_origins() -> list[Figure]:
    made = []
    for count, name in ((1, "one origin of the list"), (1_000, "a thousand origins of the list in turn")):
        works = []
        for listed in (100_000, 10):
            origins = tuple(f"https://tenant-{number}.example.com" for number in range(listed))
            wanted = cycle((_ORIGIN, origin.encode()) for origin in origins[-count:])
            works.append(_in_turn(CorsMiddleware(_app, _policy(origins)), [next(wanted) for _ in range(1_000)]))
        many, few = medians(*works, rounds=15, calls=2_000)
        made.append(figure(f"cors: 100,000 origins against 10, {name}", many, few, bar=1.2))
    return made


def _in_turn(app: CorsMiddleware, origins: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    """The same work for both sides, whatever the number of different origins."""
    calls = cycle([_call(app, "GET", origin) for origin in origins])

    def call() -> object:
        return next(calls)()

    return call


def _hostile() -> list[Figure]:
    app = CorsMiddleware(_app, _policy())
    names = ("commas", "1,024 names", "the most elements and bytes that are read")
    works = [_call(app, "OPTIONS", _LISTED, _ASKS, field) for field in (_NAMES, *_HOSTILE)]
    ordinary, *hostile = medians(*works, rounds=15)
    return [
        figure(f"cors: hostile preflight list ({name}) against an ordinary preflight", cost, ordinary, bar=10)
        for name, cost in zip(names, hostile, strict=True)
    ]


def _imports() -> Figure:
    cost = import_cpu("garrison.cors", "starlette.middleware.cors")
    return figure("cors: import against Starlette's CORS module", *cost, bar=0.65)
