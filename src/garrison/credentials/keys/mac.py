"""Keyed hashes of API keys and of the rows that hold them.

The pepper is derived from a root key outside the store. So whoever reads the store cannot test candidate
keys, and whoever writes it cannot plant a row that works: neither a MAC nor a seal can be made without it.

Source: RFC 2104. Both halves of the HMAC are begun once and copied, a third of the cost of a fresh one.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.credentials.key_record import KeyRecord
    from garrison.crypto.ring import KeyRing

__all__ = ["KeyMacs", "hmac_sha256"]

_PEPPER = "api-key-pepper"
_SEAL = "api-key-row"
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_encode = msgspec.msgpack.Encoder().encode


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

    __slots__ = ("_macs", "_ring", "mac", "pepper")

    def __init__(self, ring: KeyRing) -> None:
        """Derive the current pepper; older ones when something still names them."""
        self._ring = ring
        self._macs: dict[str, Callable[[bytes], bytes]] = {}
        self.pepper = ring.current
        """Id of the root key that new MACs are made under."""
        self.mac = self._of(ring.current)
        """Makes the MAC of a whole key under the current pepper."""

    @property
    def peppers(self) -> tuple[str, ...]:
        """Ids of all root keys that are still known, the current one first."""
        return self._ring.ids

    def mac_under(self, pepper: str, raw: bytes) -> bytes:
        """Make the MAC of a whole key under a pepper.

        Raises:
            SecretError: The root key of that pepper is gone.
        """
        return self._of(pepper)(raw)

    def proves(self, raw: bytes, mac: str, pepper: str) -> bool:
        """Tell whether a key is the one behind a stored MAC, in constant time; False when the pepper is gone."""
        if pepper not in self._ring:
            return compare_digest(self.mac(raw).hex(), "") and False
        return compare_digest(self._of(pepper)(raw).hex(), mac)

    def seal(self, record: KeyRecord) -> KeyRecord:
        """Give the record with a seal over all of it; to be stored at once."""
        return replace(record, seal=f"{self._ring.current}.{self._seal_of(record, self._ring.current)}")

    def genuine(self, record: KeyRecord) -> bool:
        """Tell whether the row is as this deployment wrote it."""
        root, _, seal = record.seal.partition(".")
        return root in self._ring and compare_digest(self._seal_of(record, root), seal)

    def _seal_of(self, record: KeyRecord, root: str) -> str:
        # The store counts the version, and the seal cannot cover itself; everything else is covered, also
        # what a later release adds, because fields at their default are not written.
        body = _encode(replace(record, version=0, seal=""))
        return digest(self._ring.key(_SEAL, root), body, "sha256").hex()

    def _of(self, pepper: str) -> Callable[[bytes], bytes]:
        mac = self._macs.get(pepper)
        if mac is None:
            mac = self._macs[pepper] = hmac_sha256(self._ring.key(_PEPPER, pepper))
        return mac
