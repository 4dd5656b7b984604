"""Make an account for oneself: every bad field at once, one winner of a name, a first login with it.

Until addresses are verified by mail, a taken name or address is told (409): whoever registers must learn that it
did not work. So registrations are few per address, and which of the two is taken stays untold.

A registration counts once its fields and its invite are in order. A form with a mistake in it is answered from the
rules alone, which anybody may know: it costs no hash, tells of nobody, and whoever mistypes is not shut out.

Sources: ASVS 5.0 6.2, 15.3.3 (mass assignment: unknown fields are refused); NIST SP 800-63B-4 section 3.1.1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from garrison.accounts.device import MOST_DEVICES, MOST_NETWORKS, device_of, new_device, set_cookie, with_seen
from garrison.accounts.login import METHODS, secured
from garrison.accounts.people import find_invite, make_user, store_user
from garrison.accounts.throttle import give_back, take_place
from garrison.accounts.user import acting, public
from garrison.credentials.key_service import By
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.response import Response, json_response

if TYPE_CHECKING:
    from garrison.accounts.fields import Registration
    from garrison.accounts.people import Invite
    from garrison.accounts.service import Service
    from garrison.accounts.user import User
    from garrison.model.http.endpoint import Call

__all__ = ["register"]


async def register(call: Call, service: Service) -> Response | Refusal:
    """Answer 201 with tokens, 403 without a good invite, 409 `account_exists`, 422 `body_invalid`, 429, 503."""
    wanted = service.settings.rules.read(call.body)
    if isinstance(wanted, Refusal):
        return wanted
    invite = await _admitted(service, wanted.invite)
    if isinstance(invite, Refusal):
        return invite
    held = await take_place(service.records, (service.registrations(call.address),), call.now)
    if isinstance(held, Refusal):
        return held
    try:
        made = await _made(call, service, wanted, invite)
    except Exception:
        # Our fault, and nobody was told of: it must not cost a place for an hour.
        await give_back(service.records, held)
        raise
    if isinstance(made, Refusal) and made.code == "busy":
        await give_back(service.records, held)
    return made


async def _made(call: Call, service: Service, wanted: Registration, invite: Invite | None) -> Response | Refusal:
    """Make the account and log it in."""
    # Hashed before anybody looks whether the name is taken: the work tells nothing.
    user = await make_user(service, wanted, invite.scopes if invite else service.settings.scopes, call.now)
    if isinstance(user, Refusal):
        return user
    secure = secured(call, service)
    device = device_of(call.request, secure=secure) or new_device(service.randomness)
    user = _at_home(service, user, device, call)
    opened = await service.sessions.open(user, METHODS, call.now)
    stored = await store_user(service, user, _by(call, user), opened, invite)
    if isinstance(stored, Refusal):
        return stored
    answer = {"message": "Registered.", **opened.tokens, "user": public(stored)}
    return json_response(201, answer, (set_cookie(device, secure=secure),))


async def _admitted(service: Service, text: str) -> Invite | Refusal | None:
    """Give the invite, None where none is needed; a wrong one is refused in either case."""
    invite = await find_invite(service, text)
    if invite is None and text:
        return refuse("invite_refused", "invite_unknown")
    if invite is None and not service.settings.open:
        return refuse("invite_required", "registration_closed")
    return invite


def _at_home(service: Service, user: User, device: str, call: Call) -> User:
    """Let the account know the place it was made at."""
    source = service.source(user, device, call.address, call.now)
    return msgspec.structs.replace(
        user,
        devices=with_seen((), source.device, call.now, MOST_DEVICES),
        networks=with_seen((), source.network, call.now, MOST_NETWORKS) if source.network else (),
    )


def _by(call: Call, user: User) -> By:
    return By(acting(user), call.now, call.address, call.correlation)
