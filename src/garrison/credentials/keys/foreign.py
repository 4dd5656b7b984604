"""Keys that another system issued and of which only hashes were handed over.

Such a key shows no public id, so it is found by a keyed hash: of the foreign hash at first, of the whole key
once it was seen. From its first use on, nothing of the foreign scheme is kept of it.
"""

from __future__ import annotations

import hmac
import logging
import re
from base64 import b64decode
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, Final

from garrison.credentials.key_record import SCHEMES, STRAYS, ForeignScheme, Stray
from garrison.crypto.seal import seal, unseal
from garrison.errors import SecretError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.credentials.keys.filter import IdFilter
    from garrison.credentials.keys.mac import KeyMacs
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness
    from garrison.stores.protocols import Records

__all__ = ["LEAST_HMAC_KEY", "WHOLE", "ForeignKeys", "foreign_mac", "is_plausible", "read_hash", "scheme_of"]

_log = logging.getLogger("garrison.keys")

WHOLE: Final = "whole"
"""Scheme of a foreign key whose text was seen: nothing but our own MAC of it is kept."""

LEAST_HMAC_KEY: Final = 16
"""Bytes of the shortest HMAC key that is taken over."""

_PLAUSIBLE = re.compile(rb"[!-~]{16,512}")
_SCHEME = re.compile(r"sha256|sha512|hmac-sha256:[a-z0-9-]{1,32}")
_PURPOSE: Final = "api-key-foreign"
_DIGEST: Final = {"sha256": 32, "sha512": 64, "hmac-sha256": 32}
_PAGE: Final = 100


def is_plausible(raw: bytes) -> bool:
    """Tell whether a text could be a foreign key: 16 to 512 visible characters of ASCII."""
    return _PLAUSIBLE.fullmatch(raw) is not None


def read_hash(scheme: str, text: str) -> bytes:
    """Read a handed-over hash, hexadecimal or base64 of either alphabet, with or without padding.

    Raises:
        UsageError: It is neither, or not as long as the scheme's hashes are.
    """
    length = _DIGEST[scheme.partition(":")[0]]
    try:
        if len(text) == 2 * length:
            return bytes.fromhex(text)
        padded = text.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
        digest = b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except ValueError:
        digest = b""
    if len(digest) != length:
        msg = f"not a {scheme} hash in hexadecimal or base64 ({length} bytes)"
        raise UsageError(msg)
    return digest


def scheme_of(name: str, key: bytes, ring: KeyRing, randomness: Randomness) -> ForeignScheme:
    """Describe how another system hashed its keys.

    Args:
        name: `sha256`, `sha512` or `hmac-sha256:<label>`, the label of `[a-z0-9-]`.
        key: The other system's HMAC key, for the last of them; kept sealed.
        ring: Root keys.
        randomness: Gives the seal's nonce.

    Raises:
        UsageError: Another name, a key where none belongs, or none (or a short one) where one does.
    """
    if _SCHEME.fullmatch(name) is None or (len(key) >= LEAST_HMAC_KEY) != name.startswith("hmac-"):
        msg = f"{name[:48]!r} is not sha256, sha512, or hmac-sha256:<label> with a key of at least 16 bytes"
        raise UsageError(msg)
    return ForeignScheme(id=name, sealed=seal(ring, _PURPOSE, key, name, randomness) if key else "")


def foreign_mac(macs: KeyMacs, pepper: str, scheme: str, digest: bytes) -> bytes:
    """Make the MAC under which the key of a foreign hash is found."""
    return macs.mac_under(pepper, f"foreign:{scheme}:".encode() + digest)


class ForeignKeys:
    """Finds the record of a foreign key by its whole text."""

    def __init__(self, records: Records, ring: KeyRing, macs: KeyMacs) -> None:
        """Begin without knowing which schemes are in use; the first question reads them."""
        self._records = records
        self._ring = ring
        self._macs = macs
        self._schemes: dict[str, Callable[[bytes], bytes]] | None = None

    @property
    def possible(self) -> bool:
        """Tell whether any foreign key may exist; else a text of another form is refused unread."""
        return self._schemes is None or bool(self._schemes)

    def forget(self) -> None:
        """Read the schemes again before the next answer: news said that one was added."""
        self._schemes = None

    async def learn(self) -> None:
        """Read which schemes are in use.

        Raises:
            StoreError: The store could not answer.
        """
        schemes: dict[str, Callable[[bytes], bytes]] = {}
        for scheme in await self._records.find(SCHEMES, "", "", "", _PAGE):
            try:
                schemes[scheme.id] = _hasher(scheme, self._ring)
            except SecretError as error:
                # Its keys are refused; those of the other schemes are not.
                _log.warning("keys hashed as %r are refused: %s", scheme.id, error)
        self._schemes = schemes

    async def find(self, raw: bytes, ids: IdFilter | None) -> Stray | None:
        """Find where the key with this text is stored.

        Args:
            raw: The whole text.
            ids: MACs that exist; None while that is not certain.

        Raises:
            StoreError: The store could not answer.
        """
        if self._schemes is None:
            await self.learn()
        for mac in self._candidates(raw, self._schemes or {}):
            if ids is None or mac.hex() in ids:
                stray: Stray | None = await self._records.get(STRAYS, mac.hex())
                if stray is not None:
                    return stray
        return None

    def _candidates(self, raw: bytes, schemes: dict[str, Callable[[bytes], bytes]]) -> Iterator[bytes]:
        if not schemes:
            return
        for pepper in self._macs.peppers:
            yield self._macs.mac_under(pepper, raw)
            for scheme, hasher in schemes.items():
                yield foreign_mac(self._macs, pepper, scheme, hasher(raw))


def _hasher(scheme: ForeignScheme, ring: KeyRing) -> Callable[[bytes], bytes]:
    if scheme.sealed:
        key = unseal(ring, _PURPOSE, scheme.sealed, scheme.id)
        return lambda raw: hmac.digest(key, raw, "sha256")
    hasher = sha512 if scheme.id == "sha512" else sha256
    return lambda raw: hasher(raw).digest()
