"""What does the guard with everything on add to a request of a FastAPI application?

Rival: the usual pile around the same route, the best choice of each piece: CORSMiddleware, slowapi's ASGI
middleware, a PyJWT dependency, secure's ASGI middleware. Everything in one process, without sockets; the bare
application's own time is taken off both. Not measured: the network, a remote store, a limit that refuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time
from typing import Any

import jwt
import uvloop

from benchmarks.figure import Figure, figure, medians
from benchmarks.guard.apps import (
    AUDIENCE,
    ISSUER,
    ORIGIN,
    SCOPES,
    SECRET,
    SESSION,
    SUBJECT,
    bare,
    guarded,
    guarded_with_nothing,
    guarded_with_security,
    pile,
    policy_runtime,
)
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.drive import drive
from garrison.model.principal import Principal
from garrison.runtime.runtime import Runtime

__all__ = ["figures"]

_CALLS = 40
_ROUNDS = 90
"""Many short turns: a neighbour's burst of work on the same caches then meets all sides alike."""

_ORDINARY = [
    (b"host", b"api.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json"),
    (b"accept-language", b"en,de;q=0.7"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"origin", ORIGIN.encode()),
    (b"connection", b"keep-alive"),
]


def _request(app: Callable[..., Any], header: tuple[bytes, bytes]) -> Callable[[], Any]:
    """Make one call of the application, checked once to be answered 200."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/items",
        "raw_path": b"/items",
        "query_string": b"",
        "root_path": "",
        "headers": [*_ORDINARY, header],
        "client": ("192.0.2.1", 50000),
        "server": ("127.0.0.1", 443),
    }
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if not seen and message["type"] == "http.response.start":
            seen.append(message["status"])

    async def call() -> None:
        await app({**scope, "state": {}}, receive, send)

    asyncio.run(call())
    assert seen == [200], seen
    return call


def _key(runtime: Runtime) -> tuple[bytes, bytes]:
    owner = Principal(subject="ada", scopes=frozenset({"items:read"}))
    order = NewKey(name="bench", scopes=("items:read",))
    issued = drive(runtime.driven_side.keys.create(order, By(OPERATOR, runtime.clock.wall()), owner))
    assert isinstance(issued, Issued)
    return (b"x-api-key", issued.text.encode())


def _token(runtime: Runtime) -> tuple[bytes, bytes]:
    issued = runtime.driven_side.trust.issuer.issue(
        SUBJECT,
        runtime.clock.wall(),
        runtime.randomness,
        scopes=SCOPES,
        session=SESSION,
        authenticated_at=runtime.clock.wall(),
        methods=["pwd"],
    )
    return (b"authorization", b"Bearer " + issued.token.encode())


def _rival_token() -> tuple[bytes, bytes]:
    now = int(time())
    claims = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": AUDIENCE,
        "exp": now + 900,
        "iat": now,
        "jti": "j" * 22,
        "client_id": ISSUER,
        "epoch": 0,
        "scope": " ".join(SCOPES),
        "sid": SESSION,
        "auth_time": now,
        "amr": ["pwd"],
    }
    headers = {"typ": "at+jwt", "kid": "46d5801d"}
    return (b"authorization", b"Bearer " + jwt.encode(claims, SECRET, "HS256", headers=headers).encode())


def figures() -> list[Figure]:
    """Compare what is added to the bare application."""
    own, public = policy_runtime("HS256"), policy_runtime("ES256")
    try:
        return _compared(own, public)
    finally:
        own.close()
        public.close()


def _compared(own: Runtime, public: Runtime) -> list[Figure]:
    rival = _rival_token()
    requests = [
        _request(bare(), rival),
        _request(pile(), rival),
        _request(guarded(own), _key(own)),
        _request(guarded(public), _token(public)),
        _request(guarded(own), _token(own)),
        _request(guarded_with_security(own), _key(own)),
        _request(guarded_with_nothing(own), _key(own)),
    ]
    loop = uvloop.new_event_loop()

    def turn(request: Callable[[], Any]) -> Callable[[], object]:
        async def many() -> None:
            for _ in range(_CALLS):
                await request()

        return lambda: loop.run_until_complete(many())

    times = medians(*map(turn, requests), rounds=_ROUNDS, calls=1)
    loop.close()
    alone, piled, key, cached, uncached, security, nothing = (time / _CALLS for time in times)
    against = piled - alone
    return [
        figure("guard added to FastAPI, API key, against the pile", key - alone, against, bar=1 / 12),
        figure("guard added to FastAPI, cached ES256 token, against the pile", cached - alone, against, bar=1 / 12),
        figure("guard added to FastAPI, uncached HS256 token, against the pile", uncached - alone, against, bar=1 / 9),
        figure("guard added, API key, Security() on our side, against the pile", security - alone, against, bar=1 / 12),
        figure(
            "Security() beyond a FastAPI dependency that does nothing, against the pile",
            security - nothing,
            against,
            bar=1 / 40,
        ),
    ]
