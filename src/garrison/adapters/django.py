"""The guard in Django: `garrison.django.Garrison` at the top of `MIDDLEWARE`.

The policy is `settings.GARRISON_POLICY`, `garrison.toml` when it is not set; a runtime composed elsewhere is
`settings.GARRISON_RUNTIME`. The middleware must be the first,
so that no other one answers before the guard has decided. It serves Django over WSGI; over ASGI, put
`garrison.Garrison` around the application.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from garrison.adapters.refused import RefusedError
from garrison.adapters.wsgi.held import held
from garrison.adapters.wsgi.middleware import CORRELATION, PRINCIPAL, identify, read_environ
from garrison.errors import OwnershipError, UsageError
from garrison.guard.content import has_body
from garrison.guard.drive import drive
from garrison.guard.finish import finish
from garrison.guard.respond import plain_problem, problem
from garrison.model.http.refusal import refuse
from garrison.model.principal import Principal
from garrison.runtime.compose import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http.response import HttpResponseBase

    from garrison.guard.decision import Decision
    from garrison.model.http.request import Header, Request
    from garrison.model.http.response import Response

__all__ = ["Garrison", "principal"]

_log = logging.getLogger("garrison.django")


class Garrison:
    """Guards a Django project by a policy."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Compile the policy and open its stores.

        Raises:
            PolicyError: The policy is wrong; carries every problem.
            SecretError: A secret it refers to is missing, weak or readable by others.
        """
        self._get_response = get_response
        self.runtime = getattr(settings, "GARRISON_RUNTIME", None) or compose(
            getattr(settings, "GARRISON_POLICY", "garrison.toml"),
            authenticate=getattr(settings, "GARRISON_AUTHENTICATE", None),
        )
        self.guard = self.runtime.driven

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        self.runtime.start()
        asked = read_environ(_environ(request))
        decision = drive(self.guard.decide(asked))
        if decision.answer is None:
            self._take_body(asked, decision, request)
        if decision.answer is None:
            identify(_environ(request), asked, decision)
            response = self._get_response(request)
            replacement = self.guard.withhold(asked, decision, response.status_code)
            if replacement is None:
                self._hold(asked, decision, response)
                return _finished(asked, decision, response)
            response.close()
            decision.answer = replacement
        drive(self.guard.release(decision))
        answer = _told(decision.answer)
        if asked.method == "HEAD":
            answer.content = b""
        return _finished(asked, decision, answer)

    def _hold(self, asked: Request, decision: Decision, response: HttpResponseBase) -> None:
        """Hold a stream, which is still being made, to its credential, and give its place back with its last byte."""
        if isinstance(response, StreamingHttpResponse) and not response.is_async and decision.principal.credential:
            pieces = cast("Iterable[bytes]", response.streaming_content)
            response.streaming_content = held(pieces, self.guard, asked, decision, self.runtime.clock.monotonic)
        if decision.holds:
            close = response.close

            def closed() -> None:
                try:
                    close()
                finally:
                    drive(self.guard.release(decision))

            response.close = closed  # type: ignore[method-assign]  # servers call it at the end (PEP 3333)

    def _take_body(self, asked: Request, decision: Decision, request: HttpRequest) -> None:
        """Hold the body to its caps; Django itself never reads past the declared length."""
        if decision.plan.endpoint is None and not has_body(asked):
            return
        if self.guard.refuses_body(asked, decision):
            return
        if b"transfer-encoding" in asked.fields and b"content-length" not in asked.fields:
            # Django reads no further than the declared length: a view would take the body for an empty one.
            drive(self.guard.take_body(asked, decision, refuse("length_required", "chunked")))
        elif self.guard.judges_body(asked, decision):
            drive(self.guard.take_body(asked, decision, request.body))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer what a view raises as problem details."""
        correlation = str(_environ(request).get(CORRELATION, ""))
        if isinstance(error, OwnershipError):
            return _told(problem(refuse("not_found", "not_owner"), correlation))
        if isinstance(error, RefusedError):
            return _told(problem(error.refusal, correlation))
        for kind, status in ((Http404, 404), (PermissionDenied, 403), (SuspiciousOperation, 400)):
            if isinstance(error, kind):
                return _told(plain_problem(status, "", correlation))
        _log.error("the application failed; correlation %s", correlation, exc_info=error)
        return _told(problem(refuse("internal_error", "unhandled"), correlation))


def principal(request: HttpRequest) -> Principal:
    """Give who acts in a request.

    Raises:
        UsageError: No guard stands before the view.
    """
    found = request.META.get(PRINCIPAL)
    if not isinstance(found, Principal):
        msg = "no guard stands before this view; put garrison.django.Garrison first in MIDDLEWARE"
        raise UsageError(msg)
    return found


def _environ(request: HttpRequest) -> dict[str, Any]:
    """Give the WSGI environment; over ASGI there is none, and the guard belongs around the application.

    Raises:
        UsageError: Django is served over ASGI.
    """
    found = getattr(request, "environ", None)
    if not isinstance(found, dict):
        msg = "over ASGI put garrison.Garrison around the application instead of this middleware"
        raise UsageError(msg)
    return found


def _finished(asked: Request, decision: Decision, response: HttpResponseBase) -> HttpResponseBase:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    finished = finish(decision, asked, response.status_code, lines)
    for name in [name for name, _ in response.items()]:
        del response[name]
    _add(response, finished)
    return response


def _add(response: HttpResponseBase, lines: Iterable[Header]) -> None:
    """Set fields; Django keeps one line for each, so several are joined (RFC 9110 section 5.3)."""
    for raw, content in lines:
        name, value = raw.decode("latin-1"), content.decode("latin-1")
        response[name] = f"{response[name]}, {value}" if name in response else value


def _told(answer: Response) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response["Content-Type"]
    _add(response, answer.headers)
    return response
