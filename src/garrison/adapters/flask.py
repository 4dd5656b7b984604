"""The guard in Flask: `Garrison(app, policy="garrison.toml")`, and `principal()` in a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from garrison.adapters.refused import RefusedError
from garrison.adapters.wsgi.middleware import CORRELATION, PRINCIPAL, GarrisonWSGI
from garrison.errors import OwnershipError, UsageError
from garrison.guard.respond import plain_problem, problem
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.credentials.authenticate import Authenticate
    from garrison.model.http.response import Response as Answer
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime

__all__ = ["Garrison", "principal"]


class Garrison(GarrisonWSGI):
    """Guards a Flask application by a policy; stands around its `wsgi_app`."""

    def __init__(
        self,
        app: Flask,
        policy: Policy | Path | str = "garrison.toml",
        *,
        authenticate: Authenticate | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Compile the policy, open its stores, and take the application's place.

        Args:
            app: The application to guard.
            policy: A policy, or the path of one.
            authenticate: The application's own `authenticate(request) -> Principal | None`.
            runtime: A runtime composed elsewhere, instead of one for this policy.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
        """
        super().__init__(app.wsgi_app, policy, authenticate=authenticate, runtime=runtime)
        app.register_error_handler(OwnershipError, _not_owner)
        app.register_error_handler(RefusedError, _refused)
        app.register_error_handler(HTTPException, _http_exception)
        app.extensions["garrison"] = self.runtime
        app.wsgi_app = self  # type: ignore[method-assign]  # Flask documents this way to wrap an application


def principal() -> Principal:
    """Give who acts in the request that is being served.

    Raises:
        UsageError: No guard stands before the application.
    """
    found = request.environ.get(PRINCIPAL)
    if not isinstance(found, Principal):
        msg = "no guard stands before this application; add it: Garrison(app, policy=…)"
        raise UsageError(msg)
    return found


def _correlation() -> str:
    return str(request.environ.get(CORRELATION, ""))


def _not_owner(_: OwnershipError) -> Response:
    return _told(problem(refuse("not_found", "not_owner"), _correlation()))


def _refused(error: RefusedError) -> Response:
    return _told(problem(error.refusal, _correlation()))


def _http_exception(error: HTTPException) -> Response | HTTPException:
    """Answer an `HTTPException` of the application as problem details; redirects stay what they are."""
    if error.code is None or error.code < 400:
        return error
    if error.code == 500:
        return _told(problem(refuse("internal_error", "unhandled"), _correlation()))
    answer = _told(plain_problem(error.code, error.description or "", _correlation()))
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            answer.headers.add(name, value)
    return answer


def _told(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return response
