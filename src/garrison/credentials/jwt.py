"""JSON Web Tokens as a credential: the form here, the truth from `garrison.tokens`, and who acts by them.

A token of our own names an account of ours, so the same person is the same principal with a token and with a
key. A foreign issuer's token keeps its issuer, carries no more than the policy grants that issuer, and never
chooses its tenant.

Sources: RFC 6750 sections 2.1 and 3; RFC 9068 sections 2.2 and 5; RFC 9470 (`auth_time`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from garrison.credentials.protocol import Presented
from garrison.errors import TokenError
from garrison.model.http.challenge import challenges, scheme
from garrison.model.http.refusal import REFUSALS, Refusal
from garrison.model.principal import Principal, principal_id
from garrison.model.scope import effective
from garrison.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.credentials.protocol import Owner, Owners
    from garrison.model.http.request import Request
    from garrison.policy.plan import Plan
    from garrison.tokens.checker import Checker, Lasting
    from garrison.tokens.claims import Claims

__all__ = ["MOST_REMEMBERED", "WEIGHTS", "ForeignRights", "JwtTokens"]

WEIGHTS: Final = {"signature": 20, "key_unknown": 10, "algorithm": 10, "revoked": 5, "bound": 5}
"""How suspicious each `TokenError.reason` is; any other weighs 1."""

MOST_REMEMBERED: Final = 4_096
"""Principals remembered, so that the next token of the same login need not be taken apart again."""


class ForeignRights(NamedTuple):
    """What the tokens of a foreign issuer count for here."""

    scopes: frozenset[str]
    """The most that they may carry."""

    tenant: str = ""
    """Whose their subjects are."""


class JwtTokens:
    """The credential kind `jwt`."""

    kind = "jwt"

    def __init__(
        self,
        checker: Checker,
        issuer: str,
        realm: str,
        foreign: Mapping[str, ForeignRights] | None = None,
        owners: Owners | None = None,
    ) -> None:
        """Put the kind together.

        Args:
            checker: Believes tokens: our own and those of the foreign issuers.
            issuer: `iss` of our own.
            realm: What the challenge names, printable ASCII without quotes.
            foreign: `iss` of each foreign issuer, and what its tokens count for.
            owners: Who knows what the subjects of our own tokens may now; None where there are no accounts.
        """
        self.challenge = scheme("Bearer", realm)
        self._headers = challenges([self.challenge], 'error="invalid_token"')
        self.lasts = owners is None
        self._checker = checker
        self._check = checker.check
        self._issuer = issuer
        self._foreign = dict(foreign or {})
        self._owners = owners
        self._known: dict[str, tuple[Claims, Owner | None, Principal]] = {}

    def find(self, request: Request) -> Presented | Refusal | None:
        """Look behind `Authorization: Bearer` for three parts with two dots; see `Credential.find`."""
        line = request.fields.get(b"authorization")
        if line is None or line[:7].lower() != b"bearer " or line.count(b".") != 2:
            return None
        if b"authorization" in request.repeated:
            return self._refusal("token_twice", "credential_ambiguous")
        try:
            return Presented("jwt", "", line[7:].strip(b" ").decode("ascii"))
        except UnicodeDecodeError:
            return self._refusal("token_form", "credential_malformed")

    async def believe(
        self, presented: Presented, request: Request, address: str, plan: Plan, now: int, monotonic: int
    ) -> Principal | Refusal:
        """Tell whose token it is; see `Credential.believe`."""
        try:
            claims = await self._check(presented.text, now, monotonic)
        except TokenError as error:
            return self._refusal(f"token_{error.reason}", weight=WEIGHTS.get(error.reason, 1))
        owner = None
        if self._owners is not None and claims.iss == self._issuer:
            owner = await self._owners.owner(_named(_kind(claims), claims.sub, "", claims.tenant))
            if owner is None or not owner.active or (claims.epoch or 0) < owner.epoch:
                return self._refusal("token_owner_gone", subject=f"jwt:{claims.jti}")
        return self._remembered(claims, owner)

    def lasting(self, presented: Presented) -> Lasting | None:
        """Give whose token it is; nothing where its subject is an account, whose rights may change at any moment."""
        return self._checker.lasting(presented.text) if self.lasts else None

    def stands(self, lasting: Lasting, field: bytes, now: int, monotonic: int) -> bool:
        """Tell whether a token is still to be believed; its signature is checked anew unless it is cached."""
        token = b"" if lasting.cached else field[7:].strip(b" ")
        return self._checker.stands(lasting, token, now, monotonic)

    async def spend(self, principal: Principal) -> Refusal | None:
        """Spend nothing: a token is good until it ends."""
        return None

    def used(self, principal: Principal, now: int) -> None:
        """Note nothing: a token is counted where it is issued."""

    def _remembered(self, claims: Claims, owner: Owner | None) -> Principal:
        # All claims must be the same, so that no other token gets this principal.
        known = self._known.get(claims.jti)
        if known is not None and known[0] == claims and known[1] == owner:
            return known[2]
        principal = self._principal(claims, owner)
        if len(self._known) >= MOST_REMEMBERED:
            # Only verified tokens get here; starting afresh costs each of them a microsecond or two.
            self._known.clear()
        self._known[claims.jti] = claims, owner, principal
        return principal

    def _principal(self, claims: Claims, owner: Owner | None) -> Principal:
        own = claims.iss == self._issuer
        rights = _NONE if own else self._foreign.get(claims.iss, _NONE)
        most = owner.scopes if owner is not None else rights.scopes
        granted = claims.scopes
        return Principal(
            subject=claims.sub,
            kind=_kind(claims),
            issuer="" if own else claims.iss,
            tenant=claims.tenant if own else rights.tenant,
            scopes=granted if own and owner is None else effective(granted, most),
            credential=f"jwt:{claims.jti}" if own else f"jwt:{claims.jti}:{quote(claims.iss, safe='')}",
            # A login of the issuer's, not one of ours: named here, it could be ended here.
            session=claims.sid if own else "",
            authenticated_at=int(claims.auth_time * SECOND),
            methods=claims.amr,
        )

    def _refusal(self, reason: str, code: str = "credential_refused", *, weight: int = 1, subject: str = "") -> Refusal:
        status, title, detail = REFUSALS[code]
        headers = self._headers if status == 401 else ()
        return Refusal(code, status, title, detail, reason, headers=headers, weight=weight, subject=subject)


_NONE: Final = ForeignRights(frozenset())
_named = lru_cache(maxsize=MOST_REMEMBERED)(principal_id)


def _kind(claims: Claims) -> str:
    """Tell a client that acts for itself from a person (RFC 9068 section 2.2: then `sub` is the client)."""
    return "service" if claims.sub == claims.client_id else "user"
