"""The guard in FastAPI: `Security(principal, scopes=[…])`, problem details, and an OpenAPI that tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.security import SecurityScopes  # FastAPI reads the annotation
from starlette.requests import HTTPConnection, Request  # FastAPI reads the annotation

from garrison.adapters.openapi import describe
from garrison.adapters.refused import RefusedError
from garrison.adapters.starlette import Garrison as StarletteGarrison
from garrison.adapters.starlette import correlation_of, principal_of, told
from garrison.guard.challenge import lacking
from garrison.guard.respond import problem
from garrison.model.fit import Misfit
from garrison.model.http.refusal import invalid, refuse
from garrison.model.principal import Principal
from garrison.model.scope import missing

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.responses import Response

__all__ = ["Garrison", "Principal", "health", "principal"]


class Garrison(StarletteGarrison):
    """Guards a FastAPI application by a policy: `app.add_middleware(Garrison, policy="garrison.toml")`."""

    def settle(self, application: Starlette) -> None:
        """Also answer validation errors, and write the policy into the application's OpenAPI."""
        super().settle(application)
        if isinstance(application, FastAPI):
            original = application.openapi

            def openapi() -> dict[str, Any]:
                return describe(original(), self.guard.force.plans)

            application.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way to extend it

    def handlers(self) -> dict[Any, Any]:
        """Add FastAPI's own exception."""
        return {**super().handlers(), RequestValidationError: _invalid}

    def is_default(self, handler: Any) -> bool:
        """Tell whether a handler is one that FastAPI put there itself."""
        return handler in (None, http_exception_handler, request_validation_exception_handler)


async def principal(scopes: SecurityScopes, connection: HTTPConnection) -> Principal:
    """Give the handler who acts: `me: Principal = Security(principal, scopes=["notes:read"])`.

    Policy and dependency must both hold: the guard has demanded what the policy says, this demands what the
    handler says.
    """
    found = principal_of(connection)
    if scopes.scopes and (absent := missing(found.scopes, scopes.scopes)):
        if not found.is_authenticated:
            raise RefusedError(refuse("credential_missing", ",".join(absent)))
        asked = lacking(connection.scope.get("garrison.accepted", ()), scopes.scopes)
        raise RefusedError(refuse("scope_missing", ",".join(absent), headers=asked))
    return found


def health(connection: HTTPConnection) -> dict[str, Any]:
    """Tell versions and the state of the stores; for an administrator's eyes."""
    return connection.app.state.garrison.health()  # type: ignore[no-any-return]  # Starlette's state holds anything


_PLACES = ("path", "query", "header", "body")
"""Where a bad field can stand; of several places the first names the refusal. A cookie is a header field."""


async def _invalid(request: Request, error: Exception) -> Response:
    """Answer 422 with the path of every bad field; what was sent is not repeated, it may be a password.

    A field of the body has the path that Garrison's own checks give it: `title`; others keep their place: `query.page`.
    """
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class alone
    found = error.errors()
    places = {each["loc"][0] for each in found}
    misfits = [Misfit(_path(each), each["type"], each["msg"]) for each in found]
    code = next((f"{place}_invalid" for place in _PLACES if place in places), "header_invalid")
    return told(problem(invalid(misfits, code), correlation_of(request)))


def _path(found: dict[str, Any]) -> tuple[str | int, ...]:
    place, *path = found["loc"]
    if found["type"] == "json_invalid":
        # What follows is no field but how far the body could be read.
        return ()
    return tuple(path) if place == "body" else (place, *path)
