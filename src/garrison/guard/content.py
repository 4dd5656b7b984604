"""What a body must be before a handler sees it: of a type the route takes, of the declared length, strict JSON.

The same check stands before every application, so that a duplicate member or a 10,000-deep array is refused
by the guard and never reaches two parsers that read it differently. Many handlers parse JSON without a look at
its type; so what does not say that it is JSON goes no further, unless the route takes it under that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.model.http import media
from garrison.model.http.body import decode
from garrison.model.http.refusal import Refusal, refuse

if TYPE_CHECKING:
    from garrison.guard.decision import Decision
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plan

__all__ = ["check_body", "check_length", "check_type", "has_body", "is_json", "refused"]

_IDENTITY = ((b"accept-encoding", b"identity"),)


def has_body(request: Request) -> bool:
    """Tell whether a body follows the header (RFC 9112 section 6.3)."""
    length = request.fields.get(b"content-length")
    return (length is not None and length != b"0") or b"transfer-encoding" in request.fields


def is_json(request: Request) -> bool:
    """Tell whether the body says it is JSON: `application/json` or `application/*+json` (RFC 6839)."""
    return media.is_json(_kind(request))


def _kind(request: Request) -> str:
    return request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")


def check_length(request: Request, most: int) -> Refusal | None:
    """Refuse a body that is too large by its own account, or of two types, before a byte of it is read."""
    if b"content-type" in request.repeated:
        # The guard would judge it by one of the lines, and the application decode it by the other.
        return refuse("request_malformed", "content_type")
    coding = request.fields.get(b"transfer-encoding")
    if coding is not None and (coding.strip().lower() != b"chunked" or b"transfer-encoding" in request.repeated):
        # Servers undo `chunked` alone: what is compressed beneath would be judged, and counted, as it came.
        return refuse("request_malformed", "transfer_encoding")
    length = request.fields.get(b"content-length")
    if length is None:
        return None
    if b"content-length" in request.repeated or not length.isdigit() or len(length) > 18:
        return refuse("request_malformed", "content_length")
    return refuse("body_too_large", "content_length") if int(length) > most else None


def check_type(request: Request, plan: Plan) -> Refusal | None:
    """Refuse a body that is not what the route takes, by its head: its type, its charset, its content coding.

    What is compressed, or written in another charset, is another body to whoever decodes it. Only a route that
    takes anything lets it through, and JSON not even there.
    """
    if not has_body(request):
        return None
    kind = _kind(request)
    json = media.is_json(kind)
    if not media.takes(plan.content, kind):
        # RFC 9110 section 15.5.16: the answer may say what would have been taken.
        return refuse("body_type", "content_type", headers=((b"accept", ", ".join(plan.content).encode("ascii")),))
    coding = request.line(b"content-encoding")
    if coding is not None and coding.lower() != b"identity" and (json or media.ANYTHING not in plan.content):
        return refuse("body_encoding", "content_encoding", headers=_IDENTITY)
    if json and not media.is_utf8(request.fields[b"content-type"]):
        return refuse("body_type", "charset")
    return None


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
