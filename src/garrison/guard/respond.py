"""Turn a refusal into an answer: problem details, never a stack trace (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from garrison.model.http.response import NO_STORE, Response

if TYPE_CHECKING:
    from garrison.model.http.refusal import Refusal

__all__ = ["PROBLEM", "plain_problem", "problem"]

PROBLEM = (b"content-type", b"application/problem+json")


def problem(refusal: Refusal, correlation: str) -> Response:
    """Answer a refusal; the correlation id lets its reason be found in the journal."""
    members: dict[str, Any] = {
        "type": refusal.type or "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "correlation": correlation,
        **refusal.members,
    }
    return Response(refusal.status, (PROBLEM, NO_STORE, *refusal.headers), msgspec.json.encode(members))


def plain_problem(status: int, detail: str, correlation: str, errors: object = None) -> Response:
    """Answer an error of the application: its status, its text, no code that a caller could rely on."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": title.lower().replace(" ", "_"),
        "correlation": correlation,
    }
    if errors is not None:
        members["errors"] = errors
    return Response(status, (PROBLEM, NO_STORE), msgspec.json.encode(members))
