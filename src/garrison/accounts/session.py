"""What becomes of a login: opened, renewed, ended, and asked who it belongs to.

A login is a session with a public name: `sid` of its access tokens and of its family of refresh tokens. Ending
it ends them all, within a second everywhere.

Sources: RFC 9700 sections 2.2.2 and 4.14 (rotation, reuse); RFC 9068; ASVS 5.0 7.2.4, 7.4.1, 7.4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from garrison.accounts.service import event
from garrison.accounts.user import USERS, User, public
from garrison.credentials.key_service import By
from garrison.errors import TokenError
from garrison.headers import CLEAR_SITE_DATA
from garrison.model.http.challenge import challenges
from garrison.model.http.refusal import Refusal, refuse
from garrison.model.http.response import Response, json_response
from garrison.model.ids import random_id
from garrison.model.scope import effective
from garrison.model.units import SECOND
from garrison.stores.protocols import Drop
from garrison.tokens.refresh import REFRESH_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.accounts.service import Service
    from garrison.model.event import Event
    from garrison.model.http.endpoint import Call
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Records, Step
    from garrison.tokens.issue import Issuer
    from garrison.tokens.refresh import Family, RefreshTokens
    from garrison.tokens.revocations import Revocations

__all__ = ["Opened", "RefreshBody", "Sessions", "logout", "me", "refresh"]

_ID_WIDTH = 16
_FAMILIES = 10
"""Families of one session that a logout looks for; a login begins one."""


class RefreshBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What renews a login."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class Opened(NamedTuple):
    """A session that counts once its steps are committed; its tokens are handed out only then."""

    session: str
    steps: tuple[Step, ...]
    tokens: dict[str, str | int]
    """What the answer tells: `token`, `refresh_token`, `token_type`, `expires_in`."""


class Sessions:
    """Opens, renews and ends logins; one for each way of waiting."""

    __slots__ = ("_issuer", "_randomness", "_records", "_refresh", "_revoked")

    def __init__(
        self, records: Records, issuer: Issuer, refresh: RefreshTokens, revoked: Revocations, randomness: Randomness
    ) -> None:
        """Put it together.

        Args:
            records: The store.
            issuer: Issues access tokens.
            refresh: Keeps the families; of the same issuer.
            revoked: Ends what was issued.
            randomness: Names sessions.
        """
        self._records = records
        self._issuer = issuer
        self._refresh = refresh
        self._revoked = revoked
        self._randomness = randomness

    async def open(self, user: User, methods: Sequence[str], now: int) -> Opened:
        """Open a session of somebody who has just proved who they are.

        Args:
            user: The account.
            methods: How they proved it (`amr`).
            now: Wall microseconds.
        """
        session, epoch = random_id(self._randomness, _ID_WIDTH), await self.epoch(user)
        begun = self._refresh.begin(
            user.id,
            session,
            now,
            self._randomness,
            scopes=user.scopes,
            epoch=epoch,
            authenticated_at=now,
            methods=methods,
        )
        return Opened(session, (begun.step,), self._tokens(begun.token, begun.family, user.scopes, epoch, now))

    async def renew(self, token: str, now: int) -> tuple[User, dict[str, str | int]]:
        """Take a refresh token and give the next, with an access token for what the account may now.

        Args:
            token: As presented.
            now: Wall microseconds.

        Raises:
            TokenError: It is none, was used before, or its account was disabled or has begun a new epoch.
        """
        rotated = await self._refresh.rotate(token, now, self._randomness)
        family = rotated.family
        user: User | None = await self._records.get(USERS, family.subject)
        if user is None or not user.active or (epoch := await self.epoch(user)) != family.epoch:
            await self._refresh.end(rotated.token, now, self._randomness)
            raise TokenError("revoked")
        scopes = effective(rotated.scopes, frozenset(user.scopes))
        return user, self._tokens(rotated.token, family, scopes, epoch, now)

    async def leave(self, token: str, now: int) -> bool:
        """End the session of a refresh token, used or not; tell whether there was one."""
        return await self._refresh.end(token, now, self._randomness) is not None

    async def end(self, session: str, now: int, events: Sequence[Event]) -> None:
        """End a session: its access tokens, and its refresh tokens with the same commit."""
        families: Sequence[Family] = await self._records.find(REFRESH_FAMILIES, "session", session, "", _FAMILIES)
        drops = [Drop(REFRESH_FAMILIES, family.id) for family in families]
        ending = self._revoked.session(self._issuer.issuer, session, now, self._randomness)
        await self._revoked.end(self._records, [ending], steps=drops, events=events)

    async def end_before(self, user: User, now: int) -> None:
        """End every token of an account that was issued before its present epoch.

        The account's own epoch, already stored, ends them as well; this is the bound for whoever checks tokens
        without looking at accounts.
        """
        reached = await self._revoked.epoch(self._records, self._issuer.issuer, user.id)
        while reached < user.epoch:
            reached = await self._revoked.end_subject(
                self._records, self._issuer.issuer, user.id, now, self._randomness
            )

    async def epoch(self, user: User) -> int:
        """Tell the epoch of an account: its own, or a later one that was begun for its tokens alone."""
        return max(user.epoch, await self._revoked.epoch(self._records, self._issuer.issuer, user.id))

    def _tokens(
        self, refresh_token: str, family: Family, scopes: Iterable[str], epoch: int, now: int
    ) -> dict[str, str | int]:
        issued = self._issuer.issue(
            family.subject,
            now,
            self._randomness,
            scopes=scopes,
            session=family.session,
            epoch=epoch,
            authenticated_at=family.authenticated_at,
            methods=family.methods,
        )
        return {
            "token": issued.token,
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": -(-(issued.expires - now) // SECOND),
        }


async def refresh(call: Call, service: Service) -> Response | Refusal:
    """Answer 200 with the next tokens, or 401 `credential_refused`; a token used twice ends its session."""
    body: RefreshBody = call.body
    try:
        user, tokens = await service.sessions.renew(body.refresh_token, call.now)
    except TokenError as error:
        told = challenges([service.settings.challenge], 'error="invalid_token"')
        return refuse("credential_refused", error.reason, headers=told)
    return json_response(200, {**tokens, "user": public(user)})


async def logout(call: Call, service: Service) -> Response | Refusal:
    """Answer 200 and end the session of the access token, or of the refresh token in the body, that asks.

    Whoever comes back after an access token has ended holds the refresh token alone, and must be able to leave.
    """
    principal, body = call.principal, call.body
    if not principal.session:
        if body is None or not await service.sessions.leave(body.refresh_token, call.now):
            return refuse("credential_refused", "no_session", headers=challenges([service.settings.challenge]))
        return json_response(200, {"message": "Logged out."}, [CLEAR_SITE_DATA])
    by = By(principal, call.now, call.address, call.correlation)
    told = event("authn_logout", by, principal.id, session=principal.session)
    await service.sessions.end(principal.session, call.now, [told])
    return json_response(200, {"message": "Logged out."}, [CLEAR_SITE_DATA])


async def me(call: Call, service: Service) -> Response:
    """Answer 200 with the account, and with the rights in effect for the credential that asks.

    Somebody without an account here, a service or a foreign issuer's user, has an id, a kind and scopes alone.
    """
    principal = call.principal
    shown: dict[str, Any] = {
        "id": principal.subject,
        "principal": principal.id,
        "kind": principal.kind,
        "credential": principal.credential,
        "scopes": sorted(principal.scopes),
    }
    user: User | None = await service.records.get(USERS, principal.subject)
    if user is None or user.principal != principal.id:
        return json_response(200, shown)
    return json_response(200, {**public(user), **shown})
