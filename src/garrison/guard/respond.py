"""Turn a refusal into an answer: problem details, never a stack trace (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from garrison.model.http.refusal import REFUSALS
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


_CODES: Final = {
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    414: "target_too_long",
    415: "body_type",
    422: "body_invalid",
    429: "limit_exceeded",
    431: "headers_too_large",
    500: "internal_error",
}
"""Codes of ours that say what a status says; the words of `http.HTTPStatus` change with Python."""


def plain_problem(status: int, detail: str, correlation: str, errors: object = None) -> Response:
    """Answer an error of the application: its status, its text, and a code of ours, or one such as `http_418`."""
    code = _CODES.get(status, f"http_{status}")
    title = REFUSALS[code].title if code in REFUSALS else _phrase(status)
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "correlation": correlation,
    }
    if errors is not None:
        members["errors"] = errors
    return Response(status, (PROBLEM, NO_STORE), msgspec.json.encode(members))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
