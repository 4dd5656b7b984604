"""The careful way to a key: the row by its id, its seal, its owner, the MAC, and only then an answer.

Every answer costs one MAC, also where there is no row, so that time tells nothing about which ids exist. What
was read while it was being changed is read again; what may be out of date is not used at all.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from garrison.credentials.key_format import key_of
from garrison.credentials.key_record import KEYS, STRAYS, KeyRecord, KeySecret
from garrison.credentials.keys.cache import KeyCache
from garrison.credentials.keys.filter import IdFilter
from garrison.credentials.keys.foreign import ForeignKeys
from garrison.credentials.keys.hot import HotKey, Proved, compiled, proved
from garrison.credentials.keys.mac import KeyMacs
from garrison.credentials.keys.renewal import Renewals
from garrison.credentials.protocol import Presented

if TYPE_CHECKING:
    from garrison.credentials.protocol import Owners
    from garrison.crypto.ring import KeyRing
    from garrison.stores.news import News
    from garrison.stores.protocols import Kind, Records

__all__ = ["PAGE", "TRIES", "Lookup"]

TRIES: Final = 3
"""Reads of one row that news overtook; after that the last one counts, and is not remembered."""

PAGE: Final = 1_000
"""Records read at once to learn which ids exist."""

_DEAD: Final = {"revoked": "key_revoked", "canary": "key_canary"}
_NOBODY: Final = "0" * 64


class Lookup:
    """Finds and proves keys, and remembers what it found for as long as news is fresh."""

    def __init__(self, records: Records, ring: KeyRing, news: News, most: int, owners: Owners | None) -> None:
        """Put the lookup together.

        Args:
            records: Where keys are stored.
            ring: Root keys.
            news: Topics `key` and `subject`. Owners that remember must have begun to listen before: they have
                forgotten by the time that their keys are forgotten here.
            most: Keys kept hot, at most.
            owners: Who knows what owners may now; None where there are no accounts.
        """
        self.cache = KeyCache(most)
        self.macs = KeyMacs(ring)
        self.renewals = Renewals(records, self.macs, news)
        self.foreign = ForeignKeys(records, ring, self.macs)
        self._ids = IdFilter()
        self._sure = False
        self._doubts = 0
        self._records = records
        self._owners = owners
        news.listen("key", self._heard)
        news.listen("subject", self.cache.drop_owner)

    @property
    def sure(self) -> bool:
        """Tell whether every id that exists is known, so that an unknown one need not be looked up."""
        return self._sure

    async def load(self) -> None:
        """Learn which ids exist.

        Raises:
            StoreError: The store could not answer; until it does, every well-formed id is looked up.
        """
        doubts = self._doubts
        await self.foreign.learn()
        for kind in (KEYS, STRAYS):
            await self._load(kind)
        self._sure = doubts == self._doubts

    def doubt(self) -> None:
        """Forget everything: news may have been missed."""
        self._doubts += 1
        self._sure = False
        self.foreign.forget()
        self.cache.clear()

    async def prove(self, raw: bytes, digest: bytes, id: str, now: int, *, fresh: bool) -> Proved | str:
        """Tell whether a text is a key.

        Args:
            raw: The whole text.
            digest: SHA-256 of it.
            id: The public id it shows; empty: none, a key of another system.
            now: Wall microseconds.
            fresh: Whether what is remembered may be used and added to.

        Returns:
            Its proof, or the reason against.

        Raises:
            StoreError: The store could not answer.
        """
        mac = ""
        if not id:
            stray = await self.foreign.find(raw, self._ids if fresh and self._sure else None)
            if stray is None:
                return "key_unknown_foreign"
            id, mac = stray.secret, stray.id
        key = await self._key(key_of(id), now, fresh=fresh)
        secret = None if isinstance(key, str) else _secret(key.record, id)
        if isinstance(key, str) or secret is None:
            self.macs.proves(raw, _NOBODY, self.macs.pepper)
            return key if isinstance(key, str) else "key_unknown"
        if not (compare_digest(mac, secret.mac) if mac else self.macs.proves(raw, secret.mac, secret.pepper)):
            return "key_wrong_secret"
        if key.record.status in _DEAD:
            return _DEAD[key.record.status]
        if 0 < secret.expires <= now or 0 < key.record.expires <= now:
            return "key_expired"
        self.renewals.note(key.record.id, secret, raw)
        proof = proved(key, secret)
        if fresh:
            self.cache.prove(digest, Presented("key", id, "", proof), key)
        return proof

    async def _key(self, id: str, now: int, *, fresh: bool) -> HotKey | str:
        """Fetch a key, from what is hot or from the store; gives the reason against where there is one."""
        cache = self.cache
        if fresh:
            hot = cache.get(id)
            if hot is not None and now < hot.until:
                return hot
            if self._sure and id not in self._ids:
                return "key_unknown"
        for _ in range(TRIES):
            begun = cache.begin()
            record: KeyRecord | None = await self._records.get(KEYS, id)
            if record is None:
                return "key_unknown"
            if record.id != id or not self.macs.genuine(record):
                return "key_row_forged"
            owner = None
            if self._owners is not None and record.subject_kind != "service":
                owner = await self._owners.owner(record.owner)
                if owner is None or not owner.active:
                    return "key_owner_gone"
            key = compiled(record, owner, now)
            if not fresh or cache.put(key, begun):
                break
        return key

    async def _load(self, kind: Kind) -> None:
        after = ""
        while page := await self._records.find(kind, "", "", after, PAGE):
            for record in page:
                self._ids.add(record.id)
            after = page[-1].id

    def _heard(self, value: str, at: int) -> None:
        """News about a key: it was made, changed or ended. A scheme's name means that foreign keys came."""
        if value.startswith("scheme:"):
            self.foreign.forget()
            return
        self._ids.add(value)
        self.cache.drop(value)


def _secret(record: KeyRecord, id: str) -> KeySecret | None:
    for secret in record.secrets:
        if secret.id == id:
            return secret
    return None
