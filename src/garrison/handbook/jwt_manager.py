"""Row 3 of the chapter: tokens that are made, validated, revoked and exchanged, and a decorator that demands them.

A token says whom it is about (`sub`, the chapter's `user_id`) and what that person may (`scope`, its
`permissions`). It is known by its `jti`; revoking it counts at once here, and within a second in every process
that shares the store.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from garrison.crypto.key import SigningKey, read_pem, secret_key
from garrison.crypto.key_set import KeySet
from garrison.errors import SecretError, TokenError, UsageError
from garrison.guard.drive import faced
from garrison.handbook.arguments import checked
from garrison.handbook.twoway import both_ways, both_ways_or
from garrison.model.scope import covers
from garrison.model.units import HOUR, SECOND
from garrison.runtime.process.clock import SystemClock
from garrison.stores.memory.records import MemoryRecords
from garrison.stores.news import News
from garrison.tokens.checker import Checker, Trusted
from garrison.tokens.issue import Issuer
from garrison.tokens.revocations import Revocations
from garrison.tokens.verifier import Verifier

if TYPE_CHECKING:
    from garrison.model.clock import Clock
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Records
    from garrison.tokens.claims import Claims

__all__ = ["JWTManager", "jwt_required"]

_Function: TypeAlias = Callable[..., Any]

_Headers: TypeAlias = Callable[..., Mapping[str, str]]
"""Gives the header fields of the request, from the arguments of the decorated function."""

_NAME: Final = "jwt_manager"
"""What the chapter calls the manager of a module."""

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_REFUSED: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
_SHORT: Final = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}


class JWTManager:
    """Tokens of one service.

    Every method is called at once, or awaited as `method.aio(...)`.
    """

    @checked
    def __init__(
        self,
        secret_key: str | bytes,
        algorithm: str = "HS256",
        *,
        issuer: str = "garrison",
        audience: str = "garrison",
        records: Records | None = None,
        clock: Clock | None = None,
        randomness: Randomness = os.urandom,
    ) -> None:
        """Take the key.

        Args:
            secret_key: As many unpredictable bytes as the hash gives; for a public-key algorithm a private key
                in PEM.
            algorithm: `HS256` and its longer kin, `ES256` and its, `Ed25519`, `RS256` and `PS256` and theirs.
            issuer: `iss` of the tokens.
            audience: `aud` of the tokens.
            records: Where revocations are stored; in memory when left out.
            clock: Wall time for expiry.
            randomness: Names the tokens.

        Raises:
            SecretError: The key is weak, or not one for the algorithm.
            UsageError: There is no such algorithm, or an argument is not what it must be.
        """
        self._clock = clock or SystemClock()
        self._randomness = randomness
        keys = KeySet([_signing_key(secret_key, algorithm)])
        # A store of others makes no news here, so what is remembered is never trusted: every use asks it.
        news = News(alone=records is None)
        self._records = MemoryRecords(self._clock, randomness(32)) if records is None else records
        self._issuer = Issuer(keys, issuer, audience)
        self._revoked = Revocations(news)
        self._checker = Checker([Trusted(Verifier(keys, issuer, audience))], self._revoked, self._records)

    @both_ways
    async def generate_token(self, user_id: str, permissions: Sequence[str], expires_hours: int = 24) -> str:
        """Make a token.

        Args:
            user_id: Whom it is about.
            permissions: What they may: names such as `tasks:read`.
            expires_hours: How long it lives, at least 1.

        Raises:
            UsageError: An empty name, a malformed permission, or no time at all.
        """
        if expires_hours < 1:
            msg = "a token lives for at least an hour"
            raise UsageError(msg)
        return self._made(user_id, permissions, expires_hours * HOUR)

    @both_ways_or(None)
    async def validate_token(self, token: str) -> dict[str, Any] | None:
        """Tell what a token says; None for one that is forged, expired, revoked or anything else alike.

        Returns:
            `user_id`, `permissions` (sorted), `iat` and `exp` (seconds since 1970), `jti`.
        """
        claims = await self._claims(token)
        if claims is None:
            return None
        return {
            "user_id": claims.sub,
            "permissions": sorted(claims.scopes),
            "iat": int(claims.iat),
            "exp": int(claims.exp),
            "jti": claims.jti,
        }

    @both_ways_or(False)
    async def revoke_token(self, token: str) -> bool:
        """End a token; False for one that counts no longer anyway."""
        claims = await self._claims(token)
        return claims is not None and await self._end(claims)

    @both_ways_or(None)
    async def refresh_token(self, token: str) -> str | None:
        """Exchange a token for a new one of the same length; the old one ends.

        Returns:
            The new token; None for one that counts no longer. Of two that exchange the same token, one gets None.
        """
        claims = await self._claims(token)
        if claims is None or not await self._end(claims):
            return None
        return self._made(claims.sub, claims.scopes, int(claims.exp - claims.iat) * SECOND)

    def _made(self, subject: str, permissions: Sequence[str] | frozenset[str], lifetime: int) -> str:
        now = self._clock.wall()
        return self._issuer.issue(subject, now, self._randomness, scopes=permissions, lifetime=lifetime).token

    async def _claims(self, token: str) -> Claims | None:
        try:
            return await self._checker.check(token, self._clock.wall(), self._clock.monotonic())
        except TokenError:
            return None

    async def _end(self, claims: Claims) -> bool:
        now = self._clock.wall()
        ending = self._revoked.token(claims.iss, claims.jti, claims.expires, now, self._randomness, once=True)
        return await self._revoked.end(self._records, [ending])


@checked
def jwt_required(
    permissions_required: Sequence[str] | None = None,
    *,
    manager: JWTManager | None = None,
    headers: _Headers | None = None,
) -> Callable[[_Function], _Function]:
    """Demand a token of whoever calls a function.

    The function gets what the token says as `current_user`. Without a right token the answer is `({"error": …},
    401, {…})` in its place, and with one that has none of the permissions the same with 403: body, status and
    header fields, as Flask takes them.

    Args:
        permissions_required: Any one of these is enough; None: every right token is.
        manager: Who validates; None: what the function's module calls `jwt_manager`, when it is called.
        headers: Gives the header fields from the function's arguments; None: those of its first argument that
            has `headers`, or of Flask's request.
    """

    def decorate(function: _Function) -> _Function:
        waits = iscoroutinefunction(function)

        async def shell(*arguments: Any, **named: Any) -> Any:
            token = _bearer(headers(*arguments, **named) if headers is not None else _fields(arguments, named))
            chosen = manager or _named(function)
            user = await chosen.validate_token.aio(token) if token else None
            if refusal := _refusal(token, user, permissions_required):
                return refusal
            returned = function(*arguments, **named, current_user=user)
            return await returned if waits else returned

        return faced(shell, function)

    return decorate


def _signing_key(given: str | bytes, algorithm: str) -> SigningKey:
    raw = given.encode() if isinstance(given, str) else given
    if algorithm.startswith("HS"):
        return secret_key(raw, algorithm)
    key = read_pem(raw, algorithm, "1")
    if not isinstance(key, SigningKey):
        msg = "a public key cannot sign; give the private one"
        raise SecretError(msg)
    return key


def _named(function: _Function) -> JWTManager:
    found = function.__globals__.get(_NAME)
    if not isinstance(found, JWTManager):
        msg = f"jwt_required needs a manager: manager=…, or a {_NAME} beside {function.__qualname__}"
        raise UsageError(msg)
    return found


def _fields(arguments: tuple[Any, ...], named: dict[str, Any]) -> Mapping[str, str]:
    for argument in (*arguments, *named.values()):
        fields: Any = getattr(argument, "headers", None)
        if hasattr(fields, "get"):
            return fields  # type: ignore[no-any-return]  # a request of any framework
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.request.headers  # type: ignore[no-any-return]  # not imported here, so not known here
    msg = "jwt_required found no request; give it headers=…"
    raise UsageError(msg)


def _bearer(fields: Mapping[str, str]) -> str:
    line = fields.get("Authorization") or fields.get("authorization")
    return line[7:].strip(" ") if isinstance(line, str) and line[:7].lower() == "bearer " else ""


def _refusal(token: str, user: dict[str, Any] | None, wanted: Sequence[str] | None) -> tuple[Any, int, Any] | None:
    """Give body, status and header fields of a refusal; None: pass. What exactly was wrong is nobody's business."""
    if not token:
        return {"error": "A token is required."}, 401, _CHALLENGE
    if user is None:
        return {"error": "The token was not accepted."}, 401, _REFUSED
    if wanted is None or any(covers(frozenset(user["permissions"]), permission) for permission in wanted):
        return None
    return {"error": "The token does not carry the right to do this."}, 403, _SHORT
