"""The text of an API key: `grsn_sk_live_` + public id + `_` + secret and check.

Everything an observer may know stands in front: whose brand, what kind, which environment, which key. So a
scanner finds a leaked key by its form, a test key says that it is one, and a typing error is noticed before
anything is looked up. No character breaks a word, so a double click selects the whole key.

Pure: randomness comes in as bytes. The check is CRC-32 (as of ISO 3309), against accidents, not attackers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from zlib import crc32

from garrison.errors import UsageError
from garrison.model.ids import BASE62, Randomness, base62, random_id

if TYPE_CHECKING:
    from garrison.policy.schema import Keys

__all__ = [
    "CHECK",
    "ENVIRONMENTS",
    "ID",
    "KINDS",
    "SECRET",
    "SECRET_BYTES",
    "Environment",
    "KeyFormat",
    "KeyKind",
    "check_of",
    "format_of",
    "key_of",
    "new_key_id",
    "new_secret_id",
]

KeyKind: TypeAlias = Literal["sk", "pk", "rk"]
"""Secret, publishable (bound to origins), restricted (bound to routes or networks)."""

Environment: TypeAlias = Literal["live", "test", "dev"]

KINDS: Final = ("sk", "pk", "rk")
ENVIRONMENTS: Final = ("live", "test", "dev")

ID: Final = 12
"""Characters of the public id: 10 name the key, 2 tell its secrets apart."""

_KEY: Final = 10
"""Characters that name the key: 59 bits. A draw that is taken already is drawn anew by the store's condition."""

SECRET_BYTES: Final = 32
"""Random bytes of a secret: no list of guesses exists for 256 bits, so a fast hash is enough."""

SECRET: Final = 43
"""Characters that 32 bytes take in base62."""

CHECK: Final = 6
"""Characters that a CRC-32 takes in base62."""

_BRAND = re.compile(r"[a-z][a-z0-9]{1,9}", re.ASCII)
_PAIRS: Final = tuple((one + other).encode() for one in BASE62 for other in BASE62)


class KeyFormat:
    """Writes and reads the keys of one brand."""

    __slots__ = ("_form", "_own", "brand", "environment", "mark")

    def __init__(self, brand: str, environment: Environment = "live") -> None:
        """Take the policy's words.

        Args:
            brand: The deployer's: a lower-case letter, then 1 to 9 of `[a-z0-9]`.
            environment: Whose keys are made and taken here.

        Raises:
            UsageError: The brand is no such text.
        """
        if _BRAND.fullmatch(brand) is None:
            msg = f"{brand[:20]!r} is no brand: write 2 to 10 of a-z 0-9, a letter first"
            raise UsageError(msg)
        self.brand = brand
        self.mark = f"{brand}_".encode()
        """What every key of the brand begins with."""
        self.environment = environment
        form = rb"%b_(?:sk|pk|rk)_(?:%b)_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}"
        self._own = re.compile(form % (brand.encode(), environment.encode()), re.ASCII).fullmatch
        self._form = re.compile(form % (brand.encode(), b"live|test|dev"), re.ASCII)

    def make(self, kind: KeyKind, id: str, randomness: Randomness) -> str:
        """Draw a new secret and write the whole key.

        Args:
            kind: `sk`, `pk` or `rk`.
            id: Public id of the secret, from `new_secret_id`.
            randomness: Where the secret's 32 bytes come from.
        """
        secret = base62(int.from_bytes(randomness(SECRET_BYTES), "big"), SECRET)
        body = f"{self.brand}_{kind}_{self.environment}_{id}_{secret}"
        return body + check_of(body.encode()).decode()

    def id_of(self, raw: bytes) -> str:
        """Give the public id of a key of this environment; empty: it is none, and `fault` says why."""
        found = self._own(raw)
        if found is None or not raw.endswith(check_of(raw[:-6])):
            return ""
        return str(found[1], "ascii")

    def fault(self, raw: bytes) -> tuple[str, str]:
        """Say why a text is no key of this environment.

        Returns:
            `key_form` or `key_check`, and no id; `key_environment`, and the id of what is a key elsewhere.
        """
        found = self._form.fullmatch(raw)
        if found is None:
            return "key_form", ""
        if check_of(raw[:-CHECK]) != raw[-CHECK:]:
            return "key_check", ""
        return "key_environment", found[1].decode("ascii")

    def inside(self, raw: bytes) -> str:
        """Find the public id of the first whole key inside other text, such as a query; empty: none."""
        for found in self._form.finditer(raw):
            if check_of(found[0][:-CHECK]) == found[0][-CHECK:]:
                return found[1].decode("ascii")
        return ""


def format_of(keys: Keys) -> KeyFormat:
    """Give the form that a policy's `[keys]` describe; where no environment stands around them they are live."""
    return KeyFormat(keys.brand, keys.environment or "live")


def check_of(body: bytes) -> bytes:
    """Write the CRC-32 of everything before it, in base62, padded with zeros to six characters."""
    high, rest = divmod(crc32(body), 62**4)
    middle, low = divmod(rest, 62**2)
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]


def key_of(id: str) -> str:
    """Give the id of the key that a secret's id, or the key's own, belongs to."""
    return id[:_KEY]


def new_key_id(randomness: Randomness) -> str:
    """Draw the id of a new key."""
    return random_id(randomness, _KEY)


def new_secret_id(key: str, taken: frozenset[str], randomness: Randomness) -> str:
    """Draw the id of a new secret of a key, none of those taken."""
    while (id := key + random_id(randomness, ID - _KEY)) in taken:
        pass
    return id
