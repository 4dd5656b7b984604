"""Why an origin is allowed or not, and what the browser's console says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from garrison.cors.names import SAFELISTED_METHODS
from garrison.cors.pattern import Matcher
from garrison.cors.rules import patterns
from garrison.cors.tally import printable, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.cors.answer import Cors

__all__ = ["Explanation", "explain"]

_WORDS = {
    "null": "the origin is null, which every sandboxed frame has",
    "several": "the Origin field has more than one value",
    "malformed": "the value is no origin as browsers write it",
    "origin": "no entry of origins covers it",
}
_SAFELISTED = frozenset(("accept", "accept-language", "content-language"))
"""Fields that never cause a preflight. Content-Type may: JSON does."""

_MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
_FAILED = "Response to preflight request doesn't pass access control check: "


class Explanation(NamedTuple):
    """A verdict with its grounds."""

    allowed: bool
    rule: str
    """What decided: the entry of the policy, or the code of the refusal."""

    text: str
    """Why, in a sentence."""

    browser: str
    """What the console of the page most likely says; empty: nothing."""


def explain(cors: Cors, origin: str, method: str = "GET", headers: Sequence[str] = ()) -> Explanation:
    """Say what the policy makes of one request, without counting it.

    Args:
        cors: The policy.
        origin: As the browser sends it; empty: the request has none.
        method: Of the request itself, not of its preflight.
        headers: Names of the fields that the page sets.
    """
    if not origin:
        return Explanation(True, "no_origin", "without Origin there is nothing to decide", "")
    value, verb = origin.encode("latin-1", "replace"), method.encode("latin-1", "replace")
    asked = [name.lower().encode("latin-1", "replace") for name in headers if name.lower() not in _SAFELISTED]
    preflighted = bool(asked) or verb not in SAFELISTED_METHODS
    blocked = f"Access to fetch from origin '{printable(value)}' has been blocked by CORS policy: "
    if not cors.allows(value):
        reason = reason_of(value)
        return Explanation(False, reason, _WORDS[reason], blocked + (_FAILED if preflighted else "") + _MISSING)
    if preflighted and cors.refusal(value, verb, None):
        told = f"Method {printable(verb)} is not allowed by Access-Control-Allow-Methods in preflight response."
        return Explanation(False, "method", f"methods does not list {printable(verb)}", blocked + told)
    refused = next((printable(name) for name in asked if cors.refusal(value, verb, name)), "")
    if refused:
        told = f"Request header field {refused} is not allowed by Access-Control-Allow-Headers in preflight response."
        return Explanation(False, "header", f"headers does not list {refused}", blocked + told)
    entry = next(entry.text for entry in patterns(cors.policy) if Matcher((entry,)).matches(value))
    credentials = "with credentials" if cors.policy.credentials else "without credentials"
    return Explanation(True, entry, f"{entry} covers the origin, {credentials}", "")
