"""What a body must be before a handler sees it: of the declared length, strict JSON, fitting its schema.

The same check stands before every application, so that a duplicate member or a 10,000-deep array is refused
by the guard and never reaches two parsers that read it differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.model.http.body import decode
from garrison.model.http.refusal import Refusal, refuse

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request

__all__ = ["check_body", "check_length", "has_body", "is_json", "refused"]


def has_body(request: Request) -> bool:
    """Tell whether a body follows the header (RFC 9112 section 6.3)."""
    length = request.fields.get(b"content-length")
    return (length is not None and length != b"0") or b"transfer-encoding" in request.fields


def is_json(request: Request) -> bool:
    """Tell whether the body says it is JSON: `application/json` or `application/*+json` (RFC 6839)."""
    kind = request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))


def check_length(request: Request, most: int) -> Refusal | None:
    """Refuse a body that is too large by its own account, or of two types, before a byte of it is read."""
    if b"content-type" in request.repeated:
        # The guard would judge it by one of the lines, and the application decode it by the other.
        return refuse("request_malformed", "content_type")
    length = request.fields.get(b"content-length")
    if length is None:
        return None
    if b"content-length" in request.repeated or not length.isdigit() or len(length) > 18:
        return refuse("request_malformed", "content_length")
    return refuse("body_too_large", "content_length") if int(length) > most else None


def check_body(decision: Decision, request: Request, body: bytes) -> Any | Refusal:
    """Decode a whole JSON body strictly, and fit it to the route's schema if it has one.

    Args:
        decision: Holds the caps on depth and fields, and the route's schema.
        request: Says what the body claims to be.
        body: All of it, within the byte cap.

    Returns:
        The decoded value, or the refusal with the path of every bad field.
    """
    if not is_json(request):
        return refuse("body_type", "content_type")
    caps, plan = decision.force.plans.policy.caps, decision.plan
    value = decode(body, depth=caps.depth, fields=caps.fields)
    if type(value) is Refusal or plan.body is None:
        return value
    errors = plan.body.errors(value)
    return refuse("body_invalid", "schema", members={"errors": errors}) if errors else value


def refused(value: Any) -> Refusal | None:
    """Give the refusal if that is what the value is."""
    return value if type(value) is Refusal else None
