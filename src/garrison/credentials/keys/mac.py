"""Keyed hashes of API keys and of the rows that hold them.

The pepper is derived from a root key outside the store. So whoever reads the store cannot test candidate
keys, and whoever writes it cannot plant a row that works: neither a MAC nor a seal can be made without it.

Sources: RFC 2104 for keys; both halves of the HMAC are begun once and copied, a third of the cost of a fresh
one. RFC 7693 section 2.9 for seals, which nobody else reads: keyed BLAKE2b, half the cost of that.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

import msgspec

from garrison.credentials.key_record import KeyRecord, KeyRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.crypto.ring import KeyRing

__all__ = ["KeyMacs", "hmac_sha256"]

_PEPPER = "api-key-pepper"
_SEAL = "api-key-row"
"""Also the format's version: a row that is to be read in another way is sealed for another purpose, so that no
release takes it for one of its own. Fields that are merely added need none, see `KeyRecord`."""
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_SEAL_BYTES: Final = 32
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeyRecord).decode


def hmac_sha256(key: bytes) -> Callable[[bytes], bytes]:
    """Begin an HMAC-SHA-256 once; each call of what is returned finishes a copy of it.

    Args:
        key: At most 64 bytes. The states hold it: they are as secret as the key itself.
    """
    padded = key.ljust(_BLOCK, b"\0")
    inner, outer = sha256(padded.translate(_INNER)).copy, sha256(padded.translate(_OUTER)).copy

    def mac(message: bytes) -> bytes:
        first = inner()
        first.update(message)
        second = outer()
        second.update(first.digest())
        return second.digest()

    return mac


class KeyMacs:
    """Makes and checks the MACs of keys and the seals of rows, each under the root key it names."""

    __slots__ = ("_macs", "_seals", "mac", "pepper", "peppers")

    def __init__(self, ring: KeyRing) -> None:
        """Derive the pepper and the sealing key of every root."""
        self.peppers = ring.ids
        """Ids of all root keys that are still known, the current one first."""

        self.pepper = ring.current
        """Id of the root key that new MACs are made under."""

        self._macs = {root: hmac_sha256(ring.key(_PEPPER, root)) for root in ring.ids}
        self._seals = {root: blake2b(key=ring.key(_SEAL, root), digest_size=_SEAL_BYTES).copy for root in ring.ids}
        self.mac = self._macs[ring.current]
        """Makes the MAC of a whole key under the current pepper."""

    def mac_under(self, pepper: str, raw: bytes) -> bytes:
        """Make the MAC of a whole key under one of the `peppers`."""
        return self._macs[pepper](raw)

    def proves(self, raw: bytes, mac: bytes, pepper: str) -> bool:
        """Tell whether a key is the one behind a stored MAC, in constant time; False when the pepper is gone."""
        known = self._macs.get(pepper)
        right = compare_digest((known or self.mac)(raw), mac)
        return right and known is not None

    def row(self, record: KeyRecord, version: int = 0) -> KeyRow:
        """Write and seal the row of a key.

        Args:
            record: The key.
            version: Of the row it takes the place of; 0: there is none.
        """
        facts = _encode(record)
        return KeyRow(
            id=record.id,
            owner=record.owner,
            holder="" if record.status == "revoked" else record.owner,
            purge=record.purge,
            facts=facts,
            root=self.pepper,
            seal=self._seal(self.pepper, facts),
            version=version,
        )

    def open(self, row: KeyRow) -> KeyRecord | str:
        """Read a row, or say why it counts for nothing.

        Returns:
            The key; `key_row_forged` when it is not as this deployment wrote it, or its root key is gone;
            `key_row_unreadable` when it is, but not as this release does.
        """
        if row.root not in self._seals or not compare_digest(self._seal(row.root, row.facts), row.seal):
            return "key_row_forged"
        try:
            record = _decode(row.facts)
        except msgspec.MsgspecError:
            return "key_row_unreadable"
        # A genuine key in the place of another, or under another owner's name, is no less forged.
        return record if record.id == row.id and record.owner == row.owner else "key_row_forged"

    def _seal(self, root: str, facts: bytes) -> bytes:
        hash = self._seals[root]()
        hash.update(facts)
        return hash.digest()
