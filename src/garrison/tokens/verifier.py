"""Decide whether a token is to be believed.

The order is the defence. Nothing of the payload is read before the signature is right; nothing of the header
is read twice: a header that verified once is remembered with its key, and only such headers are, so that
nobody without a right token can fill or steer that memory.

Sources: RFC 7519 section 7.2; RFC 8725 section 3; RFC 9068 section 4.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from msgspec import DecodeError, ValidationError, convert
from msgspec.json import Decoder, Encoder

from garrison.crypto import base64
from garrison.crypto.algorithms import ALGORITHMS
from garrison.crypto.base64 import reread
from garrison.crypto.jws import DEPTH, TOKEN_BYTES, read_header
from garrison.errors import TokenError, UsageError
from garrison.model.http.body import decode
from garrison.model.units import MINUTE, SECOND
from garrison.tokens.claims import OURS, Claims, demanding

if TYPE_CHECKING:
    from garrison.crypto.algorithms import Check
    from garrison.crypto.key import Key
    from garrison.crypto.key_set import KeySet
    from garrison.tokens.revocations import Revocations

__all__ = ["ACCESS", "AHEAD", "REQUIRED", "Entry", "Verifier", "encoded"]

ACCESS = "at+jwt"
"""The `typ` of access tokens (RFC 9068 section 2.1)."""

REQUIRED = ("sub", "iat", "jti")
"""Claims that must be there besides `iss`, `aud` and `exp`, which always must."""

AHEAD = MINUTE
"""Microseconds that an issuer's clock may be ahead of ours in `iat`, whatever the leeway for `exp` and `nbf`."""

_AHEAD = AHEAD / SECOND
_HEADERS = 64
"""Headers remembered; a foreign issuer may put something new into each of its own."""

_any = Decoder().decode
_again = Encoder().encode

C = TypeVar("C", bound=Claims)


class Entry(NamedTuple):
    """What is remembered of a token that was believed."""

    generation: int
    """Of the keys that it was checked with."""

    since: int
    """From when it counts, wall microseconds."""

    until: int
    """From when it counts no longer."""

    claims: Claims


class Verifier(Generic[C]):
    """Believes tokens of one issuer, one audience and one kind, signed by one set of keys."""

    __slots__ = (
        "_as_written",
        "_audience",
        "_audiences",
        "_claims",
        "_last",
        "_leeway",
        "_max_age",
        "_own",
        "_scope",
        "_table",
        "_typ",
        "_typed",
        "issuer",
        "keys",
    )

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str | Collection[str],
        *,
        typ: str | Collection[str] = ACCESS,
        required: Collection[str] = REQUIRED,
        leeway: int = 0,
        max_age: int = 0,
        scope_claim: str = "scope",
        claims: type[C] = Claims,  # type: ignore[assignment]  # the default is what C is without an argument
        own: bool = False,
    ) -> None:
        """State what is believed.

        Args:
            keys: The issuer's keys; each is for one algorithm, and the header cannot choose another.
            issuer: `iss`, letter for letter.
            audience: Names of this API; one of them must be in `aud`.
            typ: Kinds of token, in lower case without `application/`. `""` among them allows a token that names
                none; say so only for an issuer that names none.
            required: Claims that must be there and not be empty.
            leeway: Microseconds that clocks may be apart at `exp` and `nbf`.
            max_age: Microseconds since `iat` after which a token is refused whatever its `exp`; 0: no such bound.
            scope_claim: Claim that holds the scopes: text with spaces, or a list of texts.
            claims: A type derived from `Claims`, for an application's own.
            own: Nobody but our own `Issuer` has the keys. Its payloads are then not searched for names that
                stand twice, since it writes none; foreign ones are, and their `tenant` and `epoch` are not read:
                whose somebody is here, and what was ended here, no foreign issuer can know.

        Raises:
            UsageError: A demand that cannot be met.
        """
        self.keys = keys
        self.issuer = issuer
        self._audiences = frozenset((audience,) if isinstance(audience, str) else audience)
        self._typ = frozenset(kind.lower() for kind in ((typ,) if isinstance(typ, str) else typ))
        if not issuer or not self._audiences or "" in self._audiences or not self._typ or leeway < 0 or max_age < 0:
            msg = "a verifier needs an issuer, an audience and a kind of token, and no negative duration"
            raise UsageError(msg)
        self._claims = demanding(claims, {*required, *(("iat",) if max_age else ())})
        self._audience = min(self._audiences)
        """One of them, to compare before any is looked up."""

        self._typed = Decoder(self._claims).decode
        self._own = own
        self._as_written = own and scope_claim == "scope"
        self._leeway = leeway / SECOND
        self._max_age = max_age / SECOND
        self._scope = scope_claim
        self._table: tuple[int, dict[bytes, Key]] = (-1, {})
        # The header that verified last; nearly every token has it.
        self._last: tuple[int, bytes, Check] = (-1, b"", _nobody)

    def verify(self, token: str | bytes, now: int, revoked: Revocations | None = None) -> C:
        """Give the claims of a token that is to be believed.

        Args:
            token: As it stood after `Bearer`.
            now: Wall microseconds.
            revoked: What was ended before its time.

        Raises:
            TokenError: It is not; `reason` is one of `REASONS`. Nothing else is ever raised.
        """
        try:
            raw = token.encode("ascii") if isinstance(token, str) else token
        except UnicodeEncodeError as error:
            raise TokenError("form") from error
        end = raw.rfind(b".")
        generation, prefix, check = self._last
        if generation != self.keys.generation or not raw.startswith(prefix) or len(raw) > TOKEN_BYTES:
            prefix = self._first(raw)
            payload = raw[len(prefix) : end]
        else:
            payload = raw[len(prefix) : end]
            if not check(payload, raw[end + 1 :]):
                raise TokenError("signature" if raw.count(b".") == 2 else "form")
        try:
            claims = self._read(payload)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _unreadable(error) from error
        self._judge(claims, now / SECOND)
        if revoked is not None and revoked.refuses(claims, self.issuer):
            raise TokenError("revoked")
        return claims

    def entry(self, raw: bytes) -> Entry:
        """Give what is worth remembering of a token that was believed this moment, its signature aside."""
        claims = self._read(raw[raw.index(b".") + 1 : raw.rindex(b".")])
        return Entry(self.keys.generation, self.since(claims), self.until(claims), claims)

    def genuine(self, raw: bytes) -> bool:
        """Tell whether the signature of a token is right; False as well if its header is not the last one's."""
        end = raw.rfind(b".")
        generation, prefix, check = self._last
        known = generation == self.keys.generation and raw.startswith(prefix)
        return known and check(raw[len(prefix) : end], raw[end + 1 :])

    def until(self, claims: C) -> int:
        """Give the wall microsecond from which these claims count no longer."""
        end = claims.exp + self._leeway
        return round((min(end, claims.iat + self._max_age) if self._max_age else end) * SECOND)

    def since(self, claims: C) -> int:
        """Give the wall microsecond from which these claims count."""
        return round(max(claims.nbf - self._leeway, claims.iat - _AHEAD) * SECOND)

    def _first(self, raw: bytes) -> bytes:
        """Check the signature of a token whose header is not the last one's, and give that header with its dot."""
        if len(raw) > TOKEN_BYTES:
            raise TokenError("too_long")
        if raw.count(b".") != 2:
            raise TokenError("form")
        message, _, signature = raw.rpartition(b".")
        prefix = raw[: raw.index(b".") + 1]
        generation, known = self._table
        # Read before the key is looked up: if the keys change meanwhile, what is remembered is stale from birth.
        if generation != (current := self.keys.generation):
            generation, known = self._table = current, {}
        key = known.get(prefix) or self._find(prefix[:-1])
        if not key.check(message, signature):
            raise TokenError("signature")
        # A thread that comes late adds to a table that nobody looks at any more.
        self._last = generation, prefix, key.after(prefix)
        if len(known) < _HEADERS:
            known[prefix] = key
        return prefix

    def _find(self, segment: bytes) -> Key:
        """Read a header that is not known yet; nothing is remembered before the signature is right."""
        header = read_header(segment)
        if header.alg not in ALGORITHMS:
            raise TokenError("algorithm")
        if header.typ not in self._typ:
            raise TokenError("typ")
        key = self.keys.find(header.kid, header.alg)
        if key is None:
            raise TokenError("key_unknown")
        return key

    def _read(self, payload: bytes) -> C:
        return self._typed(reread(payload)) if self._as_written else self._convert(payload)

    def _convert(self, payload: bytes) -> C:
        """Read what somebody else wrote: with one meaning only, and the scopes from where they keep them."""
        members = _plain(base64.decode(payload) or b"")
        if not self._own:
            for name in OURS:
                members.pop(name, None)
        if self._scope != "scope":
            members["scope"] = _scope_text(members.get(self._scope, ""))
        return convert(members, self._claims)

    def _judge(self, claims: C, seconds: float) -> None:
        # Claims are in seconds, and comparing one float with another is four times faster than with an integer of
        # microseconds. A double tells those apart until the year 2242.
        if claims.iss != self.issuer:
            raise TokenError("issuer")
        if claims.aud != self._audience and not self._for_us(claims.aud):
            raise TokenError("audience")
        if seconds >= claims.exp + self._leeway:
            raise TokenError("expired")
        if seconds < claims.nbf - self._leeway:
            raise TokenError("not_yet")
        if seconds < claims.iat - _AHEAD:
            raise TokenError("issued_later")
        if self._max_age and seconds >= claims.iat + self._max_age:
            raise TokenError("too_old")
        if claims.cnf is not None:
            # Taken for an ordinary bearer token, it would pass for whoever stole it (RFC 9449 section 7.2).
            raise TokenError("bound")

    def _for_us(self, aud: str | list[str]) -> bool:
        return aud in self._audiences if isinstance(aud, str) else not self._audiences.isdisjoint(aud)


def _nobody(_message: bytes, _signature: bytes) -> bool:
    return False


def _unreadable(error: Exception) -> TokenError:
    missing = isinstance(error, ValidationError) and "missing required field" in str(error)
    return TokenError("claim_missing" if missing else "payload")


def _plain(raw: bytes) -> dict[str, Any]:
    """Read an object with one meaning.

    Most issuers write JSON in its one shortest form. If that is what writing it again gives, letter for letter,
    no name stood twice and nothing else was lost; only otherwise is it read the slow way.
    """
    if raw.count(b"{") + raw.count(b"[") <= DEPTH:
        members = _any(raw)
        if _again(members) == raw and isinstance(members, dict):
            return members
    members = decode(raw, depth=DEPTH)
    if not isinstance(members, dict):
        raise TokenError("payload")
    return members


def encoded(token: str) -> bytes:
    """Give the bytes of a token.

    Raises:
        TokenError: It has a character beyond ASCII: `form`.
    """
    try:
        return token.encode("ascii")
    except UnicodeEncodeError as error:
        raise TokenError("form") from error


def _scope_text(value: Any) -> str:
    """Write scopes the way `scope` has them; one with a space in it would become two."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) and " " not in item for item in value):
        return " ".join(value)
    raise TokenError("payload")
