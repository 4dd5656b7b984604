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
from msgspec.structs import astuple, fields, replace

from garrison.credentials.key_record import KeyRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.crypto.ring import KeyRing

__all__ = ["KeyMacs", "hmac_sha256"]

_PEPPER = "api-key-pepper"
_SEAL = "api-key-row"
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_LATER: Final = tuple(field.default for field in fields(KeyRecord))[1:-1]
"""What a field is that a row does not have; NODEFAULT, which nothing equals, for those that every row has."""

_COVERED: Final = len(_LATER)
"""Fields that a seal covers; new ones come last, before the seal."""

_SEAL_BYTES: Final = 32
_SEAL_LETTERS: Final = 2 * _SEAL_BYTES

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

    __slots__ = ("_heads", "_macs", "_seals", "mac", "pepper", "peppers")

    def __init__(self, ring: KeyRing) -> None:
        """Derive the pepper and the sealing key of every root."""
        self.peppers = ring.ids
        """Ids of all root keys that are still known, the current one first."""

        self.pepper = ring.current
        """Id of the root key that new MACs are made under."""

        self._macs = {root: hmac_sha256(ring.key(_PEPPER, root)) for root in ring.ids}
        self._seals = {root: blake2b(key=ring.key(_SEAL, root), digest_size=_SEAL_BYTES).copy for root in ring.ids}
        self._heads = {f"{root}.{_COVERED}.": state for root, state in self._seals.items()}
        self.mac = self._macs[ring.current]
        """Makes the MAC of a whole key under the current pepper."""

    def mac_under(self, pepper: str, raw: bytes) -> bytes:
        """Make the MAC of a whole key under one of the `peppers`."""
        return self._macs[pepper](raw)

    def proves(self, raw: bytes, mac: str, pepper: str) -> bool:
        """Tell whether a key is the one behind a stored MAC, in constant time; False when the pepper is gone."""
        known = self._macs.get(pepper)
        right = compare_digest((known or self.mac)(raw).hex(), mac)
        return right and known is not None

    def seal(self, record: KeyRecord) -> KeyRecord:
        """Give the record with a seal over all of it; to be stored at once."""
        seal = _seal_of(self._seals[self.pepper], record, _COVERED)
        return replace(record, seal=f"{self.pepper}.{_COVERED}.{seal}")

    def genuine(self, record: KeyRecord) -> bool:
        """Tell whether the row is as this deployment wrote it."""
        seal = record.seal
        state = self._heads.get(seal[:-_SEAL_LETTERS])
        if state is None:
            return self._earlier(record)
        hash = state()
        hash.update(_encode(astuple(record)[1:-1]))
        return compare_digest(hash.hexdigest(), seal[-_SEAL_LETTERS:])

    def _earlier(self, record: KeyRecord) -> bool:
        """Judge a row of an earlier release: what it lacks must be as if it had never been there."""
        root, _, rest = record.seal.partition(".")
        covered, _, seal = rest.partition(".")
        state = self._seals.get(root)
        if state is None or not (covered.isdecimal() and covered.isascii() and 0 < int(covered) < _COVERED):
            return False
        number = int(covered)
        if astuple(record)[1 + number : -1] != _LATER[number:]:
            return False
        return compare_digest(_seal_of(state, record, number), seal)


def _seal_of(state: Callable[[], blake2b], record: KeyRecord, covered: int) -> str:
    # All but the version, which the store counts, and the seal itself, which are the first and the last field. How
    # many they are is written in front of them by the encoding, so no seal can be taken for one that covers less.
    hash = state()
    hash.update(_encode(astuple(record)[1 : 1 + covered]))
    return hash.hexdigest()
