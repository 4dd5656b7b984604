"""The applications that are compared: bare, with the usual pile of middleware, guarded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from secure import Preset, Secure
from secure.middleware import SecureASGIMiddleware
from slowapi import Limiter
from slowapi.middleware import SlowAPIASGIMiddleware
from slowapi.util import get_remote_address

from garrison.fastapi import Garrison, Principal, principal
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose

__all__ = [
    "AUDIENCE",
    "ISSUER",
    "ORIGIN",
    "SCOPES",
    "SECRET",
    "SESSION",
    "SUBJECT",
    "bare",
    "guarded",
    "guarded_with_nothing",
    "guarded_with_security",
    "pile",
    "policy_runtime",
]

SECRET = "0123456789abcdef0123456789abcdef-for-the-benchmark"
"""HMAC secret of the rival's tokens."""

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"
SUBJECT = "4f5c1f0e-8a3e-4c1b-9f57-0c2f3b0d9a77"
SCOPES = ("items:read", "items:write", "profile:read")
SESSION = "s" * 16

ORIGIN = "https://app.example.com"

POLICY = f"""
service = "bench"
hosts = ["api.example.com"]

[jwt]
algorithm = "%s"
issuer = "{ISSUER}"
audience = "{AUDIENCE}"

[defaults]
credentials = ["key", "jwt"]
limit = "1000000/s burst 100000000 per principal"
cors = "web"

[cors.web]
origins = ["{ORIGIN}"]

[routes]
"GET /items" = {{ scopes = ["items:read"] }}
"""


def bare() -> FastAPI:
    """One route that answers a small JSON, and nothing else."""
    app = FastAPI(openapi_url=None)

    @app.get("/items")
    async def items() -> dict[str, Any]:
        return {"items": [{"id": 1, "title": "one"}], "total": 1}

    return app


def pile() -> FastAPI:
    """The best choice of each: ASGI middleware throughout, and a token checked in a dependency."""
    app = FastAPI(openapi_url=None)
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["1000000000/minute"], headers_enabled=True)
    app.add_middleware(SecureASGIMiddleware, secure=Secure.from_preset(Preset.BALANCED))
    app.add_middleware(SlowAPIASGIMiddleware)
    app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_methods=["GET"], allow_headers=["authorization"])
    bearer = HTTPBearer()

    async def user(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                credentials.credentials, SECRET, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER
            )
        except jwt.PyJWTError as error:
            raise HTTPException(401) from error
        if "items:read" not in claims["scope"].split():
            raise HTTPException(403)
        return claims

    @app.get("/items")
    async def items(claims: dict[str, Any] = Depends(user)) -> dict[str, Any]:
        return {"items": [{"id": 1, "title": "one"}], "total": 1}

    return app


def policy_runtime(algorithm: str) -> Runtime:
    """Put the policy to work, with stores in memory."""
    return compose(load(POLICY % algorithm, "development"))


def guarded(runtime: Runtime) -> Callable[..., Any]:
    """The bare application behind the guard with everything on."""
    app = bare()
    app.add_middleware(Garrison, runtime=runtime)
    return app


def guarded_with_security(runtime: Runtime) -> Callable[..., Any]:
    """The same, with the dependency that gives the handler its principal."""
    app = FastAPI(openapi_url=None)

    @app.get("/items")
    async def items(me: Principal = Security(principal, scopes=["items:read"])) -> dict[str, Any]:
        return {"items": [{"id": 1, "title": "one"}], "total": 1}

    app.add_middleware(Garrison, runtime=runtime)
    return app


def guarded_with_nothing(runtime: Runtime) -> Callable[..., Any]:
    """The same, with a dependency that does nothing: what FastAPI itself takes for having one."""
    app = FastAPI(openapi_url=None)

    async def nothing() -> None:
        """Do nothing."""

    @app.get("/items")
    async def items(_: None = Depends(nothing)) -> dict[str, Any]:
        return {"items": [{"id": 1, "title": "one"}], "total": 1}

    app.add_middleware(Garrison, runtime=runtime)
    return app
