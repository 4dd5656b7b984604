"""A user's own API keys: listed, made, rotated, revoked, each right after a login and never by a key.

The rows demand a fresh login with a token; `KeyService` refuses a key once more, so that a mistake in a policy
does not let a stolen key outlive its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from garrison.credentials.key_service import By
from garrison.credentials.key_view import told, view
from garrison.model.fit import Misfit
from garrison.model.http.challenge import challenges
from garrison.model.http.refusal import Refusal, invalid, refuse
from garrison.model.http.response import NO_STORE, Response, json_response

if TYPE_CHECKING:
    from garrison.accounts.service import Service
    from garrison.credentials.key_service import Issued
    from garrison.model.http.endpoint import Call

__all__ = ["PAGE", "create_key", "list_keys", "revoke_key", "rotate_key"]

PAGE = 100
"""Keys in one answer."""

_ID = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)


async def list_keys(call: Call, service: Service) -> Response | Refusal:
    """Answer 200 with the caller's keys by id, without a secret; `?after=ID` goes on behind one, as `Link` says.

    Sources: RFC 8288 section 3 (`Link`), with the relation `next`.
    """
    after = _after(call)
    if isinstance(after, Refusal):
        return after
    found = _nobody(call, service) or await service.keys.list(_by(call), after=after, limit=PAGE)
    if isinstance(found, Refusal):
        return found
    more = ((b"link", f'<?after={found[-1].id}>; rel="next"'.encode("ascii")),) if len(found) == PAGE else ()
    return json_response(200, {"keys": [told(key) for key in found]}, more)


def _after(call: Call) -> str | Refusal:
    """Read where to go on; one that is no id, or two, would begin the list anew, and a walk through it never end."""
    asked = [value for name, value in parse_qsl(call.request.query.decode("latin-1"), True) if name == "after"]
    if not asked:
        return ""
    if len(asked) == 1 and _ID.fullmatch(asked[0]):
        return asked[0]
    return invalid([Misfit(("query", "after"), "format", "must be the id of one key")], "query_invalid")


async def create_key(call: Call, service: Service) -> Response | Refusal:
    """Answer 201 with the new key, this once; its scopes are among the caller's."""
    return _shown(call, 201, _nobody(call, service) or await service.keys.create(call.body, _by(call)))


async def rotate_key(call: Call, service: Service) -> Response | Refusal:
    """Answer 200 with a new secret of the same key, this once; the old one works on for the overlap."""
    return _shown(call, 200, _nobody(call, service) or await service.keys.rotate(call.parameters["id"], _by(call)))


async def revoke_key(call: Call, service: Service) -> Response | Refusal:
    """Answer 204; within a second the key is refused everywhere."""
    ended = _nobody(call, service) or await service.keys.revoke(call.parameters["id"], _by(call), "by its owner")
    return ended if isinstance(ended, Refusal) else Response(status=204, headers=(NO_STORE,))


def _nobody(call: Call, service: Service) -> Refusal | None:
    """Refuse a caller who is nobody: a policy that only observes lets one come this far, and nobody owns a key."""
    if call.principal.is_authenticated:
        return None
    return refuse("credential_missing", "missing", headers=challenges([service.settings.challenge]))


def _by(call: Call) -> By:
    return By(call.principal, call.now, call.address, call.correlation)


def _shown(call: Call, status: int, issued: Issued | Refusal) -> Response | Refusal:
    if isinstance(issued, Refusal):
        return issued
    return json_response(status, {"key": issued.text, **told(view(issued.record, call.now))})
