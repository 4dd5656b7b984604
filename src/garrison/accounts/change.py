"""Change an account: rights, password, whether it may be used, and the end of everything it was given.

Each change is one commit with its event and its news: within a second every process knows, and whatever was
issued before an epoch began is refused.

Sources: ASVS 5.0 7.4.1 to 7.4.3 (sessions end), 6.2.2 and 6.2.3 (passwords change).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from garrison.accounts.passwords.hashing import cost_name
from garrison.accounts.service import event
from garrison.accounts.user import USERS, User
from garrison.model.http.refusal import Refusal, invalid, refuse
from garrison.model.ids import random_id
from garrison.stores.protocols import Put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.accounts.service import Service
    from garrison.credentials.key_service import By

__all__ = ["end_everything", "renew_peppers", "set_active", "set_password", "set_scopes"]

_PAGE = 100
_TRIES = 8
"""Attempts at a change that others keep overtaking."""


async def set_scopes(service: Service, id: str, scopes: Sequence[str], by: By) -> User | Refusal:
    """Say what a person may; keys and tokens carry no more than that within a second.

    Args:
        service: The accounts.
        id: Of the account.
        scopes: All of them.
        by: Who says so.
    """
    wanted = tuple(sorted(set(scopes)))
    return await _apply(service, id, by, "authz_change", lambda user: msgspec.structs.replace(user, scopes=wanted))


async def set_active(service: Service, id: str, by: By, *, active: bool) -> User | Refusal:
    """Disable an account or enable it again; disabling ends everything it was given."""

    def edit(user: User) -> User:
        return msgspec.structs.replace(user, active=active)

    code, reason = ("user_updated", "user_enabled") if active else ("user_archived", "user_disabled")
    return await _apply(service, id, by, code, edit, reason=reason, ends=not active)


async def end_everything(service: Service, id: str, by: By) -> User | Refusal:
    """End every session and token of a person; the account itself goes on."""
    return await _apply(service, id, by, "authn_token_revoked", lambda user: user, reason="all", ends=True)


async def set_password(service: Service, id: str, password: str, by: By) -> User | Refusal:
    """Give an account another password, under the rules of registration; ends everything it was given.

    Args:
        service: The accounts.
        id: Of the account.
        password: The new one.
        by: Who does it.

    Returns:
        The account; or 404 `not_found`, 422 `body_invalid`, 503 `busy`.
    """
    user: User | None = await service.records.get(USERS, id)
    if user is None:
        return refuse("not_found", "account_unknown")
    names = (user.name, user.email, user.email.partition("@")[0])
    faults = list(service.settings.rules.password_faults(password, names))
    if faults:
        return invalid(faults)
    await service.hashing.announce(service.records)
    hashed = await service.hashing.hash(password, id)
    if isinstance(hashed, Refusal):
        return hashed

    def edit(user: User) -> User:
        return msgspec.structs.replace(user, password=hashed, cost=cost_name(hashed), password_changed=by.now)

    return await _apply(service, id, by, "authn_password_change", edit, ends=True)


async def renew_peppers(service: Service) -> int:
    """Seal every stored hash under the current root key, so that the former one can go; nobody has to log in.

    Returns:
        How many were sealed anew. An account that changes meanwhile keeps its seal for the next run.

    Raises:
        SecretError: A hash was sealed under a root that is gone already, or was tampered with.
    """
    renewed, after = 0, ""
    while page := await service.records.find(USERS, "", "", after, _PAGE):
        for user in page:
            sealed = service.hashing.resealed(user.password, user.id) if user.password else ""
            if sealed != user.password:
                step = Put(USERS, msgspec.structs.replace(user, password=sealed))
                renewed += (await service.records.commit([step])).done
        after = page[-1].id
    return renewed


async def _apply(
    service: Service,
    id: str,
    by: By,
    code: str,
    edit: Callable[[User], User],
    *,
    reason: str = "",
    ends: bool = False,
) -> User | Refusal:
    """Change an account; `ends` begins a new epoch, which ends all that was issued before."""
    for _ in range(_TRIES):
        user: User | None = await service.records.get(USERS, id)
        if user is None:
            return refuse("not_found", "account_unknown")
        changed = edit(user)
        if ends:
            changed = msgspec.structs.replace(changed, epoch=await service.sessions.epoch(user) + 1)
        news = service.news.step("subject", user.principal, by.now, random_id(service.randomness, 6))
        told_of = event(code, by, user.principal, reason, scopes=" ".join(changed.scopes), epoch=changed.epoch)
        outcome = await service.records.commit([Put(USERS, changed), news], [told_of])
        if outcome.done:
            service.news.tell("subject", user.principal, by.now)
            stored: User = outcome.records[0]
            if ends:
                await service.sessions.end_before(stored, by.now)
            return stored
    return refuse("conflict", "account_overtaken")
