"""Issue access tokens.

HS256 when the service that issues is the one that verifies; ES256 or Ed25519 when others verify, since whoever
can check an HMAC can also make one.

Sources: RFC 9068 section 2; RFC 8725 sections 3.8 to 3.12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.json import Encoder

from garrison.crypto import base64
from garrison.crypto.jws import TOKEN_BYTES, seal_token, write_header
from garrison.errors import UsageError
from garrison.model.scope import is_scope
from garrison.model.units import MINUTE, SECOND
from garrison.tokens.claims import LATEST, LONGEST_NAME, REGISTERED
from garrison.tokens.verifier import ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from garrison.crypto.key import SigningKey
    from garrison.crypto.key_set import KeySet
    from garrison.model.ids import Randomness

__all__ = ["LIFETIME", "Issued", "Issuer"]

LIFETIME = 15 * MINUTE
"""How long an access token lives where nothing else is said; a refresh token brings the next."""

_JTI_BYTES = 16
_encode = Encoder().encode


class Issued(NamedTuple):
    """A new token."""

    token: str
    jti: str
    """Its public name; with the issuer it names the token to revoke."""

    expires: int
    """Wall microseconds."""


class Issuer:
    """Issues tokens of one kind, in one name."""

    __slots__ = ("_audience", "_header", "_keys", "_lifetime", "_typ", "issuer")

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str | Sequence[str],
        *,
        lifetime: int = LIFETIME,
        typ: str = ACCESS,
    ) -> None:
        """State in whose name, and for whom.

        Args:
            keys: One of them signs; after a rotation the next token has the new one.
            issuer: `iss`: the address of this service, or its name.
            audience: `aud`: who is to accept the tokens.
            lifetime: Microseconds, whole seconds.
            typ: Kind of token; each kind has its own, so that none passes for another.

        Raises:
            UsageError: A part is empty, or the lifetime is no whole number of seconds.
        """
        if not issuer or not audience or not typ or not _whole_seconds(lifetime):
            msg = "an issuer needs a name, an audience, a kind, and a lifetime of whole seconds"
            raise UsageError(msg)
        self.issuer = issuer
        self._keys = keys
        self._audience = audience if isinstance(audience, str) else list(audience)
        self._lifetime = lifetime
        self._typ = typ
        self._header: tuple[SigningKey | None, bytes] = (None, b"")

    def issue(
        self,
        subject: str,
        now: int,
        randomness: Randomness,
        *,
        scopes: Iterable[str] = (),
        client: str = "",
        session: str = "",
        tenant: str = "",
        epoch: int = 0,
        authenticated_at: int = 0,
        methods: Sequence[str] = (),
        lifetime: int = 0,
        extra: Mapping[str, Any] | None = None,
    ) -> Issued:
        """Issue one token.

        Args:
            subject: `sub`: whom it is about.
            now: Wall microseconds.
            randomness: Gives the token's name.
            scopes: What it allows.
            client: `client_id`; empty: the issuer itself.
            session: `sid`: public name of the login, so that ending it ends the token.
            tenant: Who owns the subject.
            epoch: How often everything of the subject has been ended; `Revocations.epoch` or the account tells.
            authenticated_at: When the person last proved who they are, wall microseconds.
            methods: How they proved it (`amr`).
            lifetime: Microseconds, whole seconds; 0: the issuer's.
            extra: Further claims of the application; none that has a meaning already.

        Raises:
            UsageError: A claim is malformed, or the token would be longer than verifiers take.
        """
        seconds = (lifetime or self._lifetime) // SECOND
        claims: dict[str, Any] = {**extra} if extra else {}
        if not REGISTERED.isdisjoint(claims) or not subject or (lifetime and not _whole_seconds(lifetime)):
            msg = "a token needs a subject, a lifetime of whole seconds, and no claim of a meaning of its own twice"
            raise UsageError(msg)
        issued_at = now // SECOND
        if len(subject) > LONGEST_NAME or issued_at + seconds > LATEST:
            msg = f"no verifier takes a subject of more than {LONGEST_NAME} characters, nor an end after the year 9999"
            raise UsageError(msg)
        jti = base64.encode(randomness(_JTI_BYTES))
        claims |= {
            "iss": self.issuer,
            "sub": subject,
            "aud": self._audience,
            "exp": issued_at + seconds,
            "iat": issued_at,
            "jti": jti,
            "client_id": client or self.issuer,
            "epoch": epoch,
        }
        optional = {
            "scope": _scope(scopes),
            "sid": session,
            "tenant": tenant,
            "auth_time": authenticated_at // SECOND,
            "amr": methods,
        }
        claims |= {name: value for name, value in optional.items() if value}
        return Issued(self._sealed(claims), jti, (issued_at + seconds) * SECOND)

    def _sealed(self, claims: dict[str, Any]) -> str:
        key = self._keys.signer()
        known, header = self._header
        if known is not key:
            header = write_header(key, self._typ)
            self._header = key, header
        token = seal_token(key, header, _encode(claims))
        if len(token) > TOKEN_BYTES:
            msg = f"a token has at most {TOKEN_BYTES} characters; put less into it"
            raise UsageError(msg)
        return token


def _whole_seconds(duration: int) -> bool:
    return duration >= SECOND and duration % SECOND == 0


def _scope(scopes: Iterable[str]) -> str:
    names = sorted(scopes)
    if not all(map(is_scope, names)):
        msg = "a scope is a name such as tasks:read"
        raise UsageError(msg)
    return " ".join(names)
