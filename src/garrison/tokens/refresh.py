"""Refresh tokens: each is used once, and one used twice ends its whole family.

A family is everything that came from one login. The store keeps one row for each, not one for each token: a
token is `<brand>_rt_<family and number>_<secret>`, and its secret is a MAC over the family's row and the
number, so that

- whoever reads the store can make no token, and whoever writes it can make none either, nor change whose
  family it is or what it may: every token of a changed row is wrong;
- a token that was used before is recognised for ever as genuine and used, while a guess is only unknown, so
  nobody ends a family by presenting garbage under its public name;
- of two that present the same token at once exactly one gets the next: the row's version decides.

There is no grace for a token used twice, not even of seconds. The server cannot tell the thief from the
owner (RFC 9700 section 4.14.2), and whoever is given a pause may be the thief. Clients refresh once at a time.

Sources: RFC 6749 section 6; RFC 9700 sections 2.2.2 and 4.14.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.json import encode
from msgspec.structs import replace

from garrison.errors import TokenError, UsageError
from garrison.model.event import Event
from garrison.model.ids import BASE62, base62, random_id
from garrison.model.principal import principal_id
from garrison.model.scope import covers, is_scope, parse
from garrison.model.units import DAY
from garrison.stores.protocols import Drop, Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Records, Step
    from garrison.tokens.revocations import Revocations

__all__ = ["IDLE", "LIFE", "REFRESH_FAMILIES", "Begun", "Family", "RefreshTokens", "Rotated"]

LIFE = 30 * DAY
"""How long a family lives however often it is used, microseconds."""

IDLE = 14 * DAY
"""How long it lives unused."""

_PURPOSE = "refresh-token"
_ID = 12
_NUMBER = 6
_SECRET = 43
_BRAND = re.compile(r"[a-z][a-z0-9]{1,9}", re.ASCII)
_PAGE = 100


class Family(Record, frozen=True, kw_only=True):
    """All refresh tokens of one login. Every token's MAC is over all of it but `version`, `root` and `expires`."""

    id: str
    owner: str
    """`Principal.id` of the subject."""

    subject: str
    tenant: str = ""
    client: str = ""
    """The client it was given to; the same must come back."""

    session: str
    """Public name of the login; `sid` of its access tokens."""

    scope: str = ""
    """What was granted."""

    epoch: int = 0
    """The subject's epoch at login."""

    authenticated_at: int = 0
    methods: tuple[str, ...] = ()
    until: int
    """When it ends at the latest, wall microseconds."""

    expires: int
    """When it ends unless it is used, wall microseconds."""

    number: int = 0
    """Of the one token that counts."""

    root: str
    """Id of the root key that token is made with."""


REFRESH_FAMILIES = Kind(name="refresh_families", struct=Family, indexes=("owner", "session"), expires="expires")


class Begun(NamedTuple):
    """A new family: commit the step together with the login, then hand out the token."""

    token: str
    family: Family
    step: Put


class Rotated(NamedTuple):
    """The next token, and what the access token beside it may say."""

    token: str
    family: Family
    scopes: frozenset[str]


class RefreshTokens:
    """Begins, rotates and ends families."""

    def __init__(
        self,
        records: Records,
        ring: KeyRing,
        revoked: Revocations,
        issuer: str,
        *,
        brand: str = "grsn",
        life: int = LIFE,
        idle: int = IDLE,
    ) -> None:
        """Put it together.

        Args:
            records: Where families are kept.
            ring: Makes the secrets; a token whose root is gone is unknown.
            revoked: Ends the access tokens of a family that ends.
            issuer: `iss` of those.
            brand: First part of every token, 2 to 10 small letters and digits, so that leaks can be searched for.
            life: How long a family lives, microseconds.
            idle: How long it lives unused, microseconds.

        Raises:
            UsageError: The brand is no such word, or a duration is not positive.
        """
        if _BRAND.fullmatch(brand) is None or min(life, idle) <= 0:
            msg = "a brand is 2 to 10 small letters and digits, and a family lives longer than nothing"
            raise UsageError(msg)
        self._records = records
        self._ring = ring
        self._revoked = revoked
        self._issuer = issuer
        self._brand = brand
        self._life = life
        self._idle = idle
        self._form = re.compile(
            rf"{brand}_rt_([0-9A-Za-z]{{{_ID}}})([0-9A-Za-z]{{{_NUMBER}}})_([0-9A-Za-z]{{{_SECRET}}})", re.ASCII
        )

    def begin(
        self,
        subject: str,
        session: str,
        now: int,
        randomness: Randomness,
        *,
        kind: str = "user",
        tenant: str = "",
        client: str = "",
        scopes: Iterable[str] = (),
        epoch: int = 0,
        authenticated_at: int = 0,
        methods: Sequence[str] = (),
    ) -> Begun:
        """Begin a family at a login.

        Args:
            subject: Who logged in.
            session: Public name of the login.
            now: Wall microseconds.
            randomness: Gives the family's name.
            kind: Kind of principal.
            tenant: Who owns the subject.
            client: Which client logged them in.
            scopes: What is granted.
            epoch: The subject's epoch.
            authenticated_at: When the person proved who they are, wall microseconds.
            methods: How (`amr`).

        Raises:
            UsageError: A scope is malformed, or subject or session is empty.
        """
        names = sorted(scopes)
        if not subject or not session or not all(map(is_scope, names)):
            msg = "a family needs a subject, a session and scopes such as tasks:read"
            raise UsageError(msg)
        family = Family(
            id=random_id(randomness, _ID),
            owner=principal_id(kind, subject, "", tenant),
            subject=subject,
            tenant=tenant,
            client=client,
            session=session,
            scope=" ".join(names),
            epoch=epoch,
            authenticated_at=authenticated_at,
            methods=tuple(methods),
            until=now + self._life,
            expires=now + min(self._life, self._idle),
            root=self._ring.current,
        )
        return Begun(self._text(family), family, Put(REFRESH_FAMILIES, family))

    async def rotate(
        self,
        token: str,
        now: int,
        randomness: Randomness,
        *,
        client: str = "",
        scopes: Iterable[str] | None = None,
        steps: Sequence[Step] = (),
    ) -> Rotated:
        """Take a token and give the next.

        Args:
            token: As presented.
            now: Wall microseconds.
            randomness: For the news, if the family has to be ended.
            client: Which client presents it.
            scopes: Fewer than were granted, for the access token beside it; None: all.
            steps: Conditions that must hold too, such as the account's epoch.

        Raises:
            TokenError: `refresh_form`, `refresh_unknown`, `refresh_scope`; `refresh_reused` after the family, its
                session and so its access tokens were ended.
            StoreError: The store could not answer.
        """
        family, number = await self._found(token, now)
        if number != family.number:
            await self._reused(family, now, randomness)
        if family.client != client:
            raise TokenError("refresh_unknown")
        granted = parse(family.scope)
        wanted = granted if scopes is None else frozenset(scopes)
        if not all(covers(granted, scope) for scope in wanted):
            raise TokenError("refresh_scope")
        following = replace(
            family,
            number=number + 1,
            root=self._ring.current,
            expires=min(family.until, now + self._idle),
        )
        outcome = await self._records.commit([Put(REFRESH_FAMILIES, following), *steps])
        if not outcome.done:
            if outcome.failed > 0:
                raise TokenError("refresh_unknown")
            # Between reading and writing somebody else used this very token, or the family was ended.
            await self._found(token, now)
            await self._reused(family, now, randomness)
        return Rotated(self._text(following), outcome.records[0], wanted)

    async def end(self, token: str, now: int, randomness: Randomness) -> Family | None:
        """End the family of a token, used or not, with its session: logout.

        Returns:
            The family; None when there is none any more.

        Raises:
            StoreError: The store could not answer.
        """
        try:
            family, _ = await self._found(token, now)
        except TokenError:
            return None
        await self._end(family, now, randomness, "authn_token_revoked", "info")
        return family

    async def end_all(self, owner: str, now: int, randomness: Randomness, *, but: str = "") -> int:
        """End every family of an owner.

        Args:
            owner: `Principal.id`.
            now: Wall microseconds.
            randomness: For the news.
            but: Session that stays.

        Returns:
            How many were ended.

        Raises:
            StoreError: The store could not answer.
        """
        ended, after = 0, ""
        while page := await self._records.find(REFRESH_FAMILIES, "owner", owner, after, _PAGE):
            for family in page:
                if family.session != but:
                    await self._end(family, now, randomness, "authn_token_revoked", "info")
                    ended += 1
            after = page[-1].id
        return ended

    async def _found(self, token: str, now: int) -> tuple[Family, int]:
        """Give the family of a genuine token, and the token's number."""
        parts = self._form.fullmatch(token)
        if parts is None:
            raise TokenError("refresh_form")
        name, digits, secret = parts.groups()
        number = 0
        for digit in digits:
            number = number * 62 + BASE62.index(digit)
        family: Family | None = await self._records.get(REFRESH_FAMILIES, name)
        if family is None or now >= min(family.until, family.expires) or not self._genuine(family, number, secret):
            raise TokenError("refresh_unknown")
        return family, number

    def _genuine(self, family: Family, number: int, secret: str) -> bool:
        # An older token may have been made with any root that is still in the ring.
        roots = (family.root,) if number == family.number else self._ring.ids
        known = [root for root in roots if root in self._ring]
        return any(hmac.compare_digest(self._secret(family, number, root), secret) for root in known)

    def _secret(self, family: Family, number: int, root: str) -> str:
        whose = replace(family, version=0, number=number, root="", expires=0)
        mac = hmac.digest(self._ring.key(_PURPOSE, root), encode(whose), "sha256")
        return base62(int.from_bytes(mac, "big"), _SECRET)

    def _text(self, family: Family) -> str:
        secret = self._secret(family, family.number, family.root)
        return f"{self._brand}_rt_{family.id}{base62(family.number, _NUMBER)}_{secret}"

    async def _reused(self, family: Family, now: int, randomness: Randomness) -> None:
        await self._end(family, now, randomness, "authn_token_reuse", "critical")
        raise TokenError("refresh_reused")

    async def _end(self, family: Family, now: int, randomness: Randomness, code: str, severity: str) -> None:
        session = self._revoked.session(self._issuer, family.session, now, randomness)
        event = Event(code=code, at=now, actor=family.owner, subject=f"family:{family.id}", severity=severity)
        await self._revoked.end(self._records, [session], steps=[Drop(REFRESH_FAMILIES, family.id)], events=[event])
