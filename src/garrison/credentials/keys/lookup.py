"""The careful way to a key: the row by its id, its seal, its owner, the MAC, and only then an answer.

Every answer costs one MAC, also where there is no row, so that time tells nothing about which ids exist. What
was read while it was being changed is read again; what may be out of date is not used at all.
"""

from __future__ import annotations

import logging
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from garrison.credentials.key_format import key_of
from garrison.credentials.key_record import KEYS, STRAYS, KeyRecord, KeyRow, KeySecret, is_over
from garrison.credentials.keys.filter import IdFilter
from garrison.credentials.keys.foreign import ForeignKeys
from garrison.credentials.keys.hot import HotKey, Proved, Unproved, compiled, proved
from garrison.credentials.keys.mac import KeyMacs
from garrison.credentials.keys.renewal import Renewals
from garrison.credentials.protocol import Owner
from garrison.errors import UnreadableError, UsageError
from garrison.stores.page import page

if TYPE_CHECKING:
    from garrison.credentials.keys.cache import KeyCache
    from garrison.credentials.protocol import Owners
    from garrison.crypto.ring import KeyRing
    from garrison.stores.news import News
    from garrison.stores.protocols import Kind, Records

__all__ = ["PAGE", "TRIES", "Lookup"]

_log = logging.getLogger("garrison.keys")

TRIES: Final = 3
"""Reads of one row that news overtook; after that the last one counts, and is not remembered."""

PAGE: Final = 1_000
"""Records read at once to learn which ids exist."""

_DEAD: Final = {"revoked": "key_revoked", "canary": "key_canary"}
_NOBODY: Final = bytes(32)
_NO_SECRET: Final = KeySecret(id="", mac=_NOBODY, pepper="", created=0)
_GONE: Final = Owner(frozenset(), active=False)


class Lookup:
    """Finds and proves keys, and remembers what it found for as long as news is fresh."""

    def __init__(self, records: Records, ring: KeyRing, news: News, cache: KeyCache, owners: Owners | None) -> None:
        """Put the lookup together.

        Args:
            records: Where keys are stored.
            ring: Root keys.
            news: Topics `key` and `subject`. Owners that remember must have begun to listen before: they have
                forgotten by the time that their keys are forgotten here.
            cache: Where keys are kept hot.
            owners: Who knows what owners may now; None where there are no accounts.
        """
        self.cache = cache
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

    async def prove(self, found: Unproved, now: int, *, fresh: bool) -> Proved | str:
        """Tell whether a text is a key.

        Args:
            found: The text, and the public id it shows; empty: none, a key of another system.
            now: Wall microseconds.
            fresh: Whether what is remembered may be used and added to.

        Returns:
            Its proof, or the reason against.

        Raises:
            StoreError: The store could not answer.
        """
        id, mac = found.id, b""
        if not id:
            stray = await self.foreign.find(found.raw, self._ids if fresh and self._sure else None)
            if stray is None:
                return "key_unknown_foreign"
            id, mac = stray.secret, bytes.fromhex(stray.id)
        name = key_of(id)
        key = self._hot(name, now) if fresh else None
        tries = TRIES
        while key is None:
            begun = self.cache.begin()
            key = await self._read(name, now)
            tries -= 1
            if fresh and type(key) is HotKey and not self.cache.put(key, begun) and tries:
                key = None
        if isinstance(key, str):
            self.macs.proves(found.raw, _NOBODY, self.macs.pepper)
            return key
        return self._judge(found, key, id, mac, now)

    async def stored(self, id: str) -> KeyRecord | None:
        """Read a key by its id, past all memory; None when there is none or its row counts for nothing.

        Raises:
            StoreError: The store could not answer.
        """
        row: KeyRow | None = await self._records.get(KEYS, id)
        record = None if row is None else self.macs.open(row)
        return None if isinstance(record, str) else record

    async def _read(self, name: str, now: int) -> HotKey | str:
        """Read a key and its owner and compile it, or say why it counts for nothing."""
        try:
            row: KeyRow | None = await self._records.get(KEYS, name)
        except UnreadableError:
            return "key_row_unreadable"
        if row is None:
            return "key_unknown"
        record = self.macs.open(row)
        if isinstance(record, str):
            return record
        owner = None if self._owners is None else await self._owner(record, self._owners)
        if owner is not None and not owner.active:
            return "key_owner_gone"
        try:
            return compiled(record, owner, now, row.version)
        except UsageError:
            # A notation of another release: a restriction that is not understood is not left out.
            return "key_row_unreadable"

    def _hot(self, name: str, now: int) -> HotKey | str | None:
        """Give what is remembered of a key; None: the store has to be asked."""
        hot = self.cache.get(name)
        if hot is not None and now < hot.until:
            return hot
        return "key_unknown" if self._sure and name not in self._ids else None

    def _judge(self, found: Unproved, key: HotKey, id: str, mac: bytes, now: int) -> Proved | str:
        """Tell whether a text is a living secret of a key, and remember it if the key is hot."""
        record = key.record
        secret = _secret(record, id) or _NO_SECRET
        if not (compare_digest(mac, secret.mac) if mac else self.macs.proves(found.raw, secret.mac, secret.pepper)):
            return "key_unknown" if secret is _NO_SECRET else "key_wrong_secret"
        if record.status in _DEAD:
            return _DEAD[record.status]
        if is_over(secret.expires, now) or is_over(record.expires, now):
            return "key_expired"
        if secret.pepper != self.macs.pepper or secret.scheme:
            self.renewals.note(record.id, secret, found.raw)
        proof = proved(key, secret)
        if self.cache.get(record.id) is key:
            self.cache.prove(found.digest, id, proof, key)
        return proof

    async def _owner(self, record: KeyRecord, owners: Owners) -> Owner | None:
        """Ask for the owner of a key that has one; who is gone may nothing."""
        return None if record.subject_kind == "service" else await owners.owner(record.owner) or _GONE

    async def _load(self, kind: Kind) -> None:
        found = await page(self._records, kind, "", "", "", PAGE)
        while found.last:
            for record in found.records:
                self._ids.add(record.id)
            if found.unreadable:
                _log.warning("the record %r of %s cannot be read: it is refused", found.unreadable, kind.name)
                self._ids.add(found.unreadable)
            found = await page(self._records, kind, "", "", found.last, PAGE)

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
