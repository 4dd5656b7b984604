"""The guard in Starlette: everything the application raises becomes problem details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import Response

from garrison.adapters.asgi.middleware import Garrison as AsgiGarrison
from garrison.adapters.refused import RefusedError
from garrison.adapters.routes import mounted_in
from garrison.errors import OwnershipError, UsageError
from garrison.guard.respond import plain_problem, problem
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from starlette.requests import HTTPConnection, Request

    from garrison.adapters.asgi.body import Receive, Scope, Send
    from garrison.adapters.asgi.identity import App
    from garrison.credentials.authenticate import Authenticate
    from garrison.model.http.response import Response as Answer
    from garrison.policy.schema import Policy
    from garrison.runtime.runtime import Runtime

__all__ = ["Garrison", "correlation_of", "principal_of", "told"]


class Garrison(AsgiGarrison):
    """Guards a Starlette application by a policy, as middleware or around it."""

    def __init__(
        self,
        app: App,
        policy: Policy | Path | str = "garrison.toml",
        *,
        authenticate: Authenticate | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Compile the policy, open its stores, and take over the application's default error answers.

        Args:
            app: The application to guard.
            policy: A policy, or the path of one.
            authenticate: The application's own `authenticate(request) -> Principal | None`.
            runtime: A runtime composed elsewhere, instead of one for this policy.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
        """
        super().__init__(app, policy, authenticate=authenticate, runtime=runtime)
        if isinstance(app, Starlette):
            self.settle(app)

    def begin(self, application: Any) -> None:
        """Serve from now on; the first connection tells which application this is the middleware of."""
        if application is not self._application and isinstance(application, Starlette):
            self.settle(application)
        super().begin(application)

    def settle(self, application: Starlette) -> None:
        """Answer what the application raises, wherever it has no handler of its own."""
        self._take_over(application, self.app)
        for mounted in mounted_in(application):
            # Each has error answers of its own: they would give a stranger's password back, and tell whose a thing is.
            if isinstance(mounted, Starlette):
                self._take_over(mounted, mounted.middleware_stack)

    def _take_over(self, application: Starlette, built: Any) -> None:
        application.state.garrison = self.runtime
        # With it Starlette answers a fault with its stack trace, before anybody else can.
        application.debug = False
        inner = _exception_middleware(built)
        for kind, handler in self.handlers().items():
            if not self.is_default(application.exception_handlers.get(kind)):
                continue
            application.add_exception_handler(kind, handler)
            if inner is not None and kind is not Exception:
                inner.add_exception_handler(kind, handler)

    def handlers(self) -> dict[Any, Any]:
        """List the exceptions that are answered as problem details."""
        own = {OwnershipError: _not_owner, RefusedError: _refused, HTTPException: _http_exception}
        return {**own, Exception: _fault}

    def is_default(self, handler: Any) -> bool:
        """Tell whether the application has no handler of its own in this place."""
        return handler is None


def _exception_middleware(app: Any) -> ExceptionMiddleware | None:
    """Find Starlette's own middleware further in; it is built before this one, with the handlers of that moment."""
    while app is not None and not isinstance(app, ExceptionMiddleware):
        app = getattr(app, "app", None)
    return app


def principal_of(connection: HTTPConnection) -> Principal:
    """Give who acts, as the guard found out.

    Raises:
        UsageError: No guard stands before the application.
    """
    principal = connection.scope.get("user")
    if not isinstance(principal, Principal):
        msg = "no guard stands before this application; add it: app.add_middleware(Garrison, policy=…)"
        raise UsageError(msg)
    return principal


def correlation_of(connection: HTTPConnection) -> str:
    """Give the correlation id of a request; empty when there is no guard."""
    return str(connection.scope.get("state", {}).get("correlation", ""))


async def _not_owner(request: Request, _: Exception) -> Response:
    return told(problem(refuse("not_found", "not_owner"), correlation_of(request)))


async def _fault(request: Request, _: Exception) -> Response:
    return told(problem(refuse("internal_error", "unhandled"), correlation_of(request)))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  # registered for this class alone
    return told(problem(error.refusal, correlation_of(request)))


async def _http_exception(request: Request, error: Exception) -> Response:
    """Answer an `HTTPException` of the application: its status and its text, as problem details."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class alone
    methods: Collection[str] = getattr(request.scope.get("route"), "methods", None) or ()
    if error.status_code == 405 and request.method == "HEAD" and "HEAD" not in methods:
        inner = _exception_middleware(request.app.middleware_stack)
        if inner is not None:
            return _AsGet(inner)
    if error.status_code < 400:
        # No error but a redirect, or not modified: what Starlette would answer.
        body = None if error.status_code in {204, 304} else str(error.detail)
        return Response(body, error.status_code, error.headers, "text/plain")
    detail = error.detail
    plain = isinstance(detail, str)
    answer = plain_problem(
        error.status_code, detail if plain else "", correlation_of(request), None if plain else detail
    )
    response = told(answer)
    response.headers.update(error.headers or {})
    return response


class _AsGet(Response):
    """A HEAD that no route takes, answered as a GET whose body the server leaves out (RFC 9110 section 9.3.2).

    Starlette does so by itself, FastAPI's routes do not; the policy, and `Allow`, say that HEAD follows GET.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A copy: the server looks at its own to know that no body is to be sent.
        await self._app({**scope, "method": "GET"}, receive, send)


def told(answer: Answer) -> Response:
    """Turn an answer of Garrison's into Starlette's."""
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    return response
