"""Signing keys of our own, rotated in stages so that no verifier ever meets a key it could not know.

| state | published | signs | until |
|---|---|---|---|
| next | yes | no | it was published for longer than anybody caches a key set |
| active | yes | yes | it is `every` old and a next one is ready |
| retired | yes | no | no token it signed can live any longer |
| gone | no | no | for ever |
| compromised | no | no | for ever; its tokens are refused within a second everywhere |

Private halves are stored sealed under the root key. Any worker may call `advance` at any time: every step is
one commit that only one of them wins.

Sources: RFC 7517 section 5; RFC 7638; NIST SP 800-57 part 1 sections 5.3.4 and 8.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from garrison.crypto.jwk import PRIVATE_MEMBERS, new_jwk, public_jwk, read_jwk
from garrison.crypto.key import Key, secret_key
from garrison.crypto.key_set import KeySet
from garrison.crypto.seal import seal, unseal
from garrison.errors import StoreError, UsageError
from garrison.model.event import Event
from garrison.model.units import DAY, HOUR, MINUTE, SECOND
from garrison.stores.protocols import Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["SIGNING_KEYS", "TOPIC", "Rotation", "SigningKeys", "StoredKey", "ring_keys"]

TOPIC = "signing_key"
"""Under which name news of a changed key is sent."""

_SEAL = "signing-key"
_RELOAD = MINUTE
_COOLDOWN = SECOND
_TRIES = 8

_State: TypeAlias = Literal["next", "active", "retired", "gone", "compromised"]
_TRUSTED = ("active", "next", "retired")


class StoredKey(Record, frozen=True, kw_only=True):
    """A signing key in the store."""

    id: str
    """Its `kid`: the RFC 7638 thumbprint."""

    alg: str
    state: _State
    since: int
    """When it came into this state, wall microseconds."""

    slot: str
    """The state, where only one key may be in it; empty for the others. Unique, so that of two workers one wins."""

    public: dict[str, str]
    """The JWK as it is published."""

    sealed: str
    """The private JWK, sealed; empty once it signs no longer."""


SIGNING_KEYS = Kind(name="signing_keys", struct=StoredKey, unique=("slot",))


class Rotation(Struct, frozen=True, kw_only=True):
    """When keys change; durations in microseconds."""

    every: int = 30 * DAY
    """Age at which an active key retires."""

    announce: int = HOUR
    """How long a key is published before it signs: more than verifiers cache a key set, and clocks differ."""

    keep: int = DAY + HOUR
    """How long a retired key is trusted: the longest life of a token, and what clocks differ."""


class SigningKeys:
    """The keys of this deployment, as this process knows them; a `KeySource` for a `Checker`."""

    def __init__(
        self, records: Records, ring: KeyRing, news: News, alg: str = "ES256", rotation: Rotation | None = None
    ) -> None:
        """Know no key yet: call `load`, and `advance` once if the store may be new.

        Args:
            records: Where the keys are kept.
            ring: Seals the private halves.
            news: Brings changes by other processes.
            alg: Algorithm of new keys.
            rotation: When they change.
        """
        self.keys = KeySet()
        """For an `Issuer` and a `Verifier`."""

        self._records = records
        self._ring = ring
        self._news = news
        self._alg = alg
        self._rotation = rotation or Rotation()
        self._stale = True
        self._asked = -_RELOAD
        news.listen(TOPIC, self._heard)

    def due(self, monotonic: int) -> bool:
        """Tell whether `refresh` is called for."""
        return self._stale or monotonic - self._asked >= _RELOAD

    async def refresh(self, monotonic: int) -> None:
        """Read the keys again.

        Raises:
            StoreError: The store could not answer.
            SecretError: A key cannot be unsealed: its root is gone.
        """
        self._asked = monotonic
        await self.load()

    async def missed(self, monotonic: int) -> bool:
        """A token named a key we do not know: read again, at most once a second, since anybody can name one.

        Raises:
            StoreError: The store could not answer.
        """
        if monotonic - self._asked < _COOLDOWN:
            return False
        generation = self.keys.generation
        await self.refresh(monotonic)
        return self.keys.generation != generation

    async def load(self) -> None:
        """Read the keys; nothing changes for verifiers when they are the same.

        Raises:
            StoreError: The store could not answer.
            SecretError: A key cannot be unsealed: its root is gone.
        """
        self._stale = False
        trusted = sorted(
            (row for row in await self._stored() if row.state in _TRUSTED), key=lambda row: _TRUSTED.index(row.state)
        )
        names = [(row.id, row.state == "active") for row in trusted]
        if names != [(key.kid, key is self.keys.signing) for key in self.keys]:
            self.keys.replace([self._opened(row) for row in trusted])

    async def advance(self, now: int, randomness: Randomness) -> bool:
        """Take the one step that is due: make, announce, activate, or forget a key.

        Args:
            now: Wall microseconds.
            randomness: Gives new keys.

        Returns:
            Whether there was a step; call again until there is none.

        Raises:
            StoreError: The store could not answer.
        """
        rows = {row.slot or row.id: row for row in await self._stored()}
        puts = self._due(rows, now, randomness)
        if puts:
            await self._commit(puts, now, randomness, "key_rotated", "info")
        await self.load()
        return bool(puts)

    async def compromise(self, kid: str, now: int, randomness: Randomness) -> None:
        """Stop trusting a key at once: its tokens are refused, and if it was the active one another takes its place.

        Raises:
            UsageError: There is no such key.
            StoreError: The store could not answer, or others kept changing the keys.
        """
        self.keys.drop(kid)
        for _ in range(_TRIES):
            rows = {row.id: row for row in await self._stored()}
            if kid not in rows:
                msg = f"there is no signing key {kid!r}"
                raise UsageError(msg)
            puts = [replace(rows[kid], state="compromised", since=now, slot="", sealed="")]
            if rows[kid].state == "active":
                following = next((row for row in rows.values() if row.state == "next"), None)
                puts += [_moved(following, "active", now) if following else self._made("active", now, randomness)]
            if await self._commit(puts, now, randomness, "key_compromised", "critical", kid):
                return await self.load()
        msg = "others kept changing the signing keys"
        raise StoreError(msg)

    async def listed(self) -> Sequence[StoredKey]:
        """List every key there ever was, for the operator.

        Raises:
            StoreError: The store could not answer.
        """
        return await self._stored()

    def document(self) -> bytes:
        """Write the JWKS document: what is trusted, without what is secret."""
        return encode({"keys": [public_jwk(key) for key in self.keys]})

    def _due(self, rows: dict[str, StoredKey], now: int, randomness: Randomness) -> list[StoredKey]:
        active, following, rule = rows.get("active"), rows.get("next"), self._rotation
        if active is None:
            return [_moved(following, "active", now) if following else self._made("active", now, randomness)]
        old = now - active.since >= rule.every
        if following is not None and old and now - following.since >= rule.announce:
            return [_moved(active, "retired", now), _moved(following, "active", now)]
        if following is None and now - active.since >= rule.every - rule.announce:
            return [self._made("next", now, randomness)]
        return [
            replace(row, state="gone", since=now, sealed="")
            for row in rows.values()
            if row.state == "retired" and now - row.since >= rule.keep
        ][:1]

    def _made(self, state: _State, now: int, randomness: Randomness) -> StoredKey:
        jwk = new_jwk(self._alg, randomness)
        kid = jwk["kid"]
        public = {name: value for name, value in jwk.items() if name not in PRIVATE_MEMBERS}
        sealed = seal(self._ring, _SEAL, encode(jwk), f"{SIGNING_KEYS.name}:{kid}", randomness)
        return StoredKey(id=kid, alg=self._alg, state=state, since=now, slot=state, public=public, sealed=sealed)

    def _opened(self, row: StoredKey) -> Key:
        if row.state != "active":
            return read_jwk(row.public)
        private: dict[str, Any] = decode(unseal(self._ring, _SEAL, row.sealed, f"{SIGNING_KEYS.name}:{row.id}"))
        return read_jwk(private)

    async def _stored(self) -> list[StoredKey]:
        rows: list[StoredKey] = []
        after = ""
        while page := await self._records.find(SIGNING_KEYS, "", "", after, 100):
            rows += page
            after = page[-1].id
        return rows

    async def _commit(
        self, rows: list[StoredKey], now: int, randomness: Randomness, code: str, severity: str, kid: str = ""
    ) -> bool:
        """Commit a step; False when another worker was faster."""
        value = f"drop {kid}" if kid else f"load {rows[-1].id}"
        news = self._news.step(TOPIC, value, now, randomness(6).hex())
        events = [Event(code=code, at=now, subject=row.id, severity=severity, reason=row.state) for row in rows]
        return (await self._records.commit([*(Put(SIGNING_KEYS, row) for row in rows), news], events)).done

    def _heard(self, value: str, _at: int) -> None:
        what, _, kid = value.partition(" ")
        if what == "drop" and kid in self.keys:
            self.keys.drop(kid)
        self._stale = True


def ring_keys(ring: KeyRing) -> KeySet:
    """Give the HS256 keys of a deployment that verifies its own tokens: one of each root, nothing stored.

    They rotate with the root key; tokens of a retired root verify as long as it is in the ring.
    """
    return KeySet(secret_key(ring.key("token-signing", root), "HS256", root) for root in ring.ids)


def _moved(row: StoredKey, state: _State, now: int) -> StoredKey:
    single = state == "active"
    return replace(row, state=state, since=now, slot=state if single else "", sealed=row.sealed if single else "")
