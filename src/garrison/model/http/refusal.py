"""A decision against a request: a stable code, and what the caller is told (RFC 9457).

The public text never tells an attacker which check failed where that matters: an unknown, a wrong, an
expired and a revoked key are all `credential_refused`; the `reason` goes to the journal alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

from msgspec import Struct

from garrison.model.http.request import Header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.model.fit import Misfit

__all__ = ["REFUSALS", "Refusal", "Told", "invalid", "refuse"]


class Told(NamedTuple):
    """What every refusal of one code says."""

    status: int
    title: str
    detail: str


REFUSALS: dict[str, Told] = {
    "host_unknown": Told(421, "Misdirected request", "This host is not served here."),
    "request_malformed": Told(400, "Malformed request", "The request could not be read."),
    "path_ambiguous": Told(400, "Ambiguous path", "The path can be read in more than one way."),
    "route_unknown": Told(404, "Not found", "There is nothing here."),
    "method_not_allowed": Told(405, "Method not allowed", "The path does not take this method."),
    "not_found": Told(404, "Not found", "There is nothing here."),
    "credential_missing": Told(401, "Credential required", "Present a credential that this route accepts."),
    "credential_ambiguous": Told(400, "Ambiguous credential", "Present exactly one credential."),
    "credential_malformed": Told(401, "Credential refused", "The credential was not accepted."),
    "credential_refused": Told(401, "Credential refused", "The credential was not accepted."),
    "login_refused": Told(401, "Login refused", "The name or the password is wrong."),
    "freshness_required": Told(401, "Fresh login required", "Log in again to do this."),
    "assurance_required": Told(401, "Stronger login required", "Log in with a further factor to do this."),
    "scope_missing": Told(403, "Not allowed", "The credential does not carry the right to do this."),
    "credential_restricted": Told(403, "Not allowed", "The credential may not be used for this."),
    "cross_site": Told(403, "Cross-site request refused", "This request came from a page that is not trusted here."),
    "cors_refused": Told(403, "Origin refused", "This origin, method or header is not allowed."),
    "address_denied": Told(403, "Not allowed", "Requests are not taken from this address."),
    "blocked": Told(429, "Blocked", "Requests from this address were abusive. Try again after the time given, if any."),
    "limit_exceeded": Told(429, "Too many requests", "A limit is spent. Try again after the time given."),
    "login_throttled": Told(429, "Too many attempts", "Too many attempts. Try again after the time given."),
    "invite_required": Told(403, "Invitation required", "An account is made here by invitation only."),
    "invite_refused": Told(403, "Invitation refused", "The invitation is unknown, was used, or has ended."),
    "account_exists": Told(409, "Account exists", "There is an account of that name or address already."),
    "conflict": Told(409, "Conflict", "It exists already, or it has changed meanwhile."),
    "key_too_many": Told(409, "Too many keys", "The owner has as many keys as one may have. Revoke one first."),
    "key_secrets_full": Told(409, "Too many secrets", "The key has as many secrets as it may. One must end first."),
    "key_dead": Told(409, "Key has ended", "The key was revoked or has expired, and cannot be changed."),
    "key_environment": Told(409, "Key of another environment", "The key belongs to another environment than this."),
    "key_unreadable": Told(409, "Key cannot be read", "What is stored of the key cannot be trusted; it is refused."),
    "body_malformed": Told(400, "Malformed body", "The body could not be read."),
    "path_invalid": Told(422, "Invalid path", "One or more fields are not as they must be."),
    "query_invalid": Told(422, "Invalid query", "One or more fields are not as they must be."),
    "header_invalid": Told(422, "Invalid header field", "One or more fields are not as they must be."),
    "body_invalid": Told(422, "Invalid body", "One or more fields are not as they must be."),
    "length_required": Told(411, "Length required", "A body must come with a Content-Length."),
    "body_too_large": Told(413, "Body too large", "The body is larger than this route takes."),
    "body_too_slow": Told(408, "Request timeout", "The body took too long to arrive."),
    "head_too_slow": Told(408, "Request timeout", "The head of the request took too long to arrive."),
    "connections_too_many": Told(429, "Too many connections", "Your network has as many connections open as it may."),
    "body_type": Told(415, "Unsupported media type", "The body is not of a type that this route takes."),
    "body_encoding": Told(415, "Unsupported content coding", "The body must come as it is, not compressed."),
    "target_too_long": Told(414, "URI too long", "The path or the query is longer than taken here."),
    "headers_too_large": Told(431, "Header fields too large", "The header fields are larger than taken here."),
    "method_unknown": Told(501, "Method unknown", "The server does not know this method."),
    "busy": Told(503, "Busy", "Try again after the time given."),
    "overloaded": Told(503, "Reduced capacity", "More is asked than can be served. Try again after the time given."),
    "store_unavailable": Told(503, "Unavailable", "A decision is not possible at the moment."),
    "ownership_unproved": Told(500, "Internal error", "The answer was withheld."),
    "internal_error": Told(500, "Internal error", "The request failed here; the fault was recorded."),
}
"""Every refusal there is: code, status, title, detail."""


@final
class Refusal(Struct, frozen=True):
    """A decision against one request."""

    code: str
    """Stable, one of `REFUSALS`."""

    status: int
    """HTTP status of the answer."""

    title: str
    """The same for every refusal of this code."""

    detail: str
    """For the caller; never which check failed where that matters."""

    reason: str = ""
    """For the journal: exactly what failed."""

    headers: tuple[Header, ...] = ()
    """Fields the answer carries: the challenge, `Allow`, `Retry-After`."""

    members: dict[str, Any] = {}
    """Further members of the problem details, such as `errors` or `violated-policies`."""

    type: str = ""
    """Problem type; empty: `about:blank` with the code as a member."""

    weight: int = 0
    """How much suspicion the refusal carries."""

    subject: str = ""
    """For the journal: which credential or thing it is about, by public name."""

    severity: str = "warning"
    """For the journal: `critical` where somebody must look at once, as at a canary key that is used."""


def refuse(
    code: str,
    reason: str = "",
    *,
    headers: tuple[Header, ...] = (),
    members: dict[str, Any] | None = None,
    type: str = "",
) -> Refusal:
    """Make the refusal of a code; the reason is for the journal only."""
    status, title, detail = REFUSALS[code]
    return Refusal(code, status, title, detail, reason, headers, members or {}, type)


def invalid(misfits: Iterable[Misfit], code: str = "body_invalid") -> Refusal:
    """Refuse a body, or what `code` says, with every bad field, none of them with its value: it may be a password."""
    return refuse(code, "fields", members={"errors": [misfit.row for misfit in misfits]})
