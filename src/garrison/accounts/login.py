"""Log in with name or address and password: every try counted before it is looked at, every no alike.

Unknown name, wrong password, disabled account: one answer, one amount of work, one set of headers. Which it was
goes to the journal alone.

Sources: OWASP Authentication; ASVS 5.0 6.3.1, 6.3.8; RFC 8176 (`pwd`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from garrison.accounts.device import MOST_DEVICES, MOST_NETWORKS, device_of, new_device, set_cookie, with_seen
from garrison.accounts.passwords.hashing import cost_name
from garrison.accounts.service import event
from garrison.accounts.throttle import Held, forget, give_back, take_place
from garrison.accounts.user import LONGEST_EMAIL, USERS, User, acting, find_login, fold_email, fold_name, public
from garrison.credentials.key_service import By
from garrison.crypto.password import MAX_BYTES
from garrison.model.http.challenge import challenges
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.response import Response, json_response
from garrison.stores.protocols import Put, Require

if TYPE_CHECKING:
    from garrison.accounts.passwords.hashing import Checked
    from garrison.accounts.service import Service, Source
    from garrison.accounts.throttle import Lane
    from garrison.model.event import Event
    from garrison.model.http.endpoint import Call
    from garrison.stores.protocols import Step

__all__ = ["METHODS", "LoginBody", "login", "secured"]

METHODS = ("pwd",)
"""How a login here proves who somebody is (RFC 8176)."""

_TRIES = 5
"""Attempts at storing a login while the account changes meanwhile."""


class LoginBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What logs in."""

    login: Annotated[str, Meta(min_length=1, max_length=LONGEST_EMAIL)]
    """Username or e-mail address, in any spelling of it."""

    password: Annotated[str, Meta(min_length=1, max_length=MAX_BYTES)]


class _Try(NamedTuple):
    """One attempt, and everything known about it before the password is looked at."""

    user: User | None
    folded: str
    device: str
    source: Source
    lanes: tuple[Lane, ...]
    held: Held


async def login(call: Call, service: Service) -> Response | Refusal:
    """Answer 200 with tokens, 401 `login_refused`, 429 `login_throttled`, 503 `busy`."""
    body: LoginBody = call.body
    attempt = await _begin(call, service, body.login)
    if isinstance(attempt, Refusal):
        return attempt
    try:
        return await _answered(call, service, attempt, body.password)
    except Exception:
        # Our fault, no wrong password: a store that fails for a moment must shut nobody out for the whole window.
        await give_back(service.records, attempt.held)
        raise


def secured(call: Call, service: Service) -> bool:
    """Tell whether the device cookie of this call is a `__Host-` cookie."""
    return service.settings.secure or call.request.scheme == "https"


async def _answered(call: Call, service: Service, attempt: _Try, password: str) -> Response | Refusal:
    """Look at the password, and let in whoever has the right one."""
    checked = await _check(service, attempt, password)
    if isinstance(checked, Refusal):
        await give_back(service.records, attempt.held)
        return checked
    if not checked.right or attempt.user is None:
        return _refused(service, attempt, _why(attempt))
    return await _admit(call, service, attempt, checked)


async def _begin(call: Call, service: Service, typed: str) -> _Try | Refusal:
    """Find the account and take a place in every lane, so that tries in flight count too."""
    folded = fold_email(typed) if "@" in typed else fold_name(typed)
    user = await find_login(service.records, folded)
    device = device_of(call.request, secure=secured(call, service))
    source = service.source(user, device, call.address, call.now)
    lanes = service.lanes(folded, user, source, call.address)
    held = await take_place(service.records, lanes, call.now)
    if isinstance(held, Refusal):
        return msgspec.structs.replace(held, subject=_subject(service, user, folded))
    return _Try(user, folded, device, source, lanes, held)


async def _check(service: Service, attempt: _Try, password: str) -> Checked | Refusal:
    """Look at the password, or do the same work for nothing where there is none to look at."""
    user = attempt.user
    looked_at = user is not None and user.active and not attempt.held.silenced
    stored = user.password if user is not None and looked_at else None
    owner = user.id if user is not None else ""
    others = await service.hashing.others(service.records, USERS)
    return await service.hashing.check(password, stored, owner, others, known=attempt.source.known_device)


def _why(attempt: _Try) -> str:
    if attempt.user is None:
        return "account_unknown"
    if attempt.held.silenced:
        return "account_lane_full"
    return "password_wrong" if attempt.user.active else "account_disabled"


def _refused(service: Service, attempt: _Try, reason: str) -> Refusal:
    subject = _subject(service, attempt.user, attempt.folded)
    refusal = refuse("login_refused", reason, headers=challenges([service.settings.challenge]))
    return msgspec.structs.replace(refusal, subject=subject)


def _subject(service: Service, user: User | None, folded: str) -> str:
    """Name whom a try was for. What was typed never goes to the journal: it may be a password."""
    return user.principal if user is not None else f"login:{service.hidden('subject', folded)[:16]}"


async def _admit(call: Call, service: Service, attempt: _Try, checked: Checked) -> Response | Refusal:
    """Store the login and what it taught; nothing is handed out before that is durable."""
    user, device = attempt.user, attempt.device or new_device(service.randomness)
    assert user is not None  # noqa: S101  # for mypy: `login` has looked
    source = service.source(user, device, call.address, call.now)
    opened = await service.sessions.open(user, METHODS, call.now)
    epoch = user.epoch
    for _ in range(_TRIES):
        changed = _learnt(user, checked, source, call.now)
        # A password changed, an account disabled meanwhile: the login must not outlive it.
        steps: list[Step] = [Require(USERS, user.id, "epoch", epoch), Require(USERS, user.id, "active", True)]
        steps += [] if changed is user else [Put(USERS, changed)]
        outcome = await service.records.commit([*steps, *opened.steps], [_event(call, attempt, user, opened.session)])
        if outcome.done:
            await _settle(service, attempt)
            return _answer(call, service, changed, device, opened.tokens)
        again = await service.records.get(USERS, user.id)
        if again is None or not again.active or again.epoch != epoch:
            break
        user = again
    return _refused(service, attempt, "account_changed")


def _learnt(user: User, checked: Checked, source: Source, now: int) -> User:
    """Give the account with its hash renewed and the place remembered; the same one when there is nothing new."""
    password = checked.renewed or user.password
    devices = with_seen(user.devices, source.device, now, MOST_DEVICES)
    networks = with_seen(user.networks, source.network, now, MOST_NETWORKS) if source.network else user.networks
    if password is user.password and devices is user.devices and networks is user.networks:
        return user
    return msgspec.structs.replace(
        user, password=password, cost=cost_name(password), devices=devices, networks=networks
    )


async def _settle(service: Service, attempt: _Try) -> None:
    if attempt.source.known_device:
        # Nobody else runs in this lane: what the owner mistyped before is forgiven.
        await forget(service.records, attempt.lanes[0])
    else:
        await give_back(service.records, attempt.held)


def _event(call: Call, attempt: _Try, user: User, session: str) -> Event:
    failures = attempt.held.failures
    return event(
        "authn_login_successafterfail" if failures else "authn_login_success",
        By(acting(user), call.now, call.address, call.correlation),
        user.principal,
        session=session,
        methods=" ".join(METHODS),
        failures=failures,
        known_device=attempt.source.known_device,
    )


def _answer(call: Call, service: Service, user: User, device: str, tokens: dict[str, str | int]) -> Response:
    cookie = set_cookie(device, secure=secured(call, service))
    return json_response(200, {**tokens, "user": public(user)}, (cookie,))
