"""Password hashing: argon2id, its output sealed under a pepper that the store does not hold.

Whoever reads the store cannot test a single guess without the pepper; whoever writes it can neither make a
hash nor move one to another account. The pepper seals the *output* of argon2, not its input, so that it
rotates while nobody logs in: unseal with the old root, seal with the new one.

Hashing takes about 25 ms and 19 MiB on purpose. It releases the interpreter lock: run it in a thread pool
of as many threads as there are cores, never in a coroutine.

Sources: RFC 9106; OWASP Password Storage (19 MiB, 2 passes, 1 lane); NIST SP 800-63B-4 section 3.1.1.2
(NFC, no truncation, a keyed step with a key stored apart).
"""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated, NamedTuple
from unicodedata import normalize

from argon2.low_level import Type, hash_secret_raw
from msgspec import Meta, Struct

from garrison.crypto import base64
from garrison.crypto.seal import is_current, seal, unseal
from garrison.errors import SecretError, UsageError

if TYPE_CHECKING:
    from garrison.crypto.ring import KeyRing
    from garrison.model.ids import Randomness

__all__ = ["MAX_BYTES", "Cost", "Passwords", "normal_form"]

MAX_BYTES = 1024
"""A password in UTF-8 has at most this many bytes; none is ever cut."""

_PURPOSE = "password-pepper"
"""The ring's purpose whose key seals the hashes."""

_SALT_BYTES = 16
_TAG_BYTES = 32
_HASH = re.compile(
    r"\$garrison1\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9_-]{22})\$(s1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{80})",
    re.ASCII,
)


class Cost(Struct, frozen=True, kw_only=True):
    """What one hash costs; the bounds keep a hostile stored hash from taking all memory."""

    memory: Annotated[int, Meta(ge=7 * 1024, le=256 * 1024)] = 19 * 1024
    """KiB."""

    passes: Annotated[int, Meta(ge=1, le=10)] = 2
    """Times the memory is walked."""

    lanes: Annotated[int, Meta(ge=1, le=4)] = 1
    """Threads; 1, because the pool above already fills the cores."""

    def __post_init__(self) -> None:
        """Hold the bounds also where the cost was not decoded.

        Raises:
            UsageError: Out of bounds.
        """
        if not (7 * 1024 <= self.memory <= 256 * 1024 and 1 <= self.passes <= 10 and 1 <= self.lanes <= 4):
            msg = "argon2 takes 7168 to 262144 KiB, 1 to 10 passes and 1 to 4 lanes here"
            raise UsageError(msg)


class _Stored(NamedTuple):
    """A stored hash, read."""

    cost: Cost
    salt: bytes
    sealed: str


class Passwords:
    """Hashes passwords and checks them, at one cost, under the peppers of one ring."""

    __slots__ = ("_cost", "_ring")

    def __init__(self, ring: KeyRing, cost: Cost | None = None) -> None:
        """Take the ring and the cost of new hashes."""
        self._ring = ring
        self._cost = cost or Cost()

    def hash(self, password: str, randomness: Randomness, owner: str = "") -> str:
        """Hash a password for the store.

        Args:
            password: As typed.
            randomness: Gives salt and nonce.
            owner: Whose password it is, an id that never changes; `verify` must be told the same.

        Returns:
            `$garrison1$m=19456,t=2,p=1$<salt>$s1.<root id>.<sealed tag>`, 142 characters.

        Raises:
            UsageError: It is too long or no Unicode; ask `normal_form` before.
        """
        plain = normal_form(password)
        if plain is None:
            msg = f"a password has at most {MAX_BYTES} bytes of UTF-8"
            raise UsageError(msg)
        salt = randomness(_SALT_BYTES)
        head = _head(self._cost, salt)
        tag = _argon2(plain, salt, self._cost)
        return f"{head}${seal(self._ring, _PURPOSE, tag, head + owner, randomness)}"

    def verify(self, password: str, stored: str | None, owner: str = "") -> bool:
        """Tell whether the password is the stored one.

        Args:
            password: As typed.
            stored: What `hash` gave; None for an account that does not exist. The work is the same, so that
                the time does not tell which names exist.
            owner: As given to `hash`.

        Returns:
            False also for a stored text that is malformed, was changed or belongs to another owner.

        Raises:
            SecretError: The ring lacks the root of the hash: for the operator, nobody can log in.
        """
        read = None if stored is None else _read(stored)
        cost, salt, expected = self._cost, bytes(_SALT_BYTES), b""
        if read is not None:
            cost, salt = read.cost, read.salt
            expected = self._opened(read, owner)
        plain = normal_form(password)
        tag = _argon2(plain or b"", salt, cost)
        return compare_digest(tag, expected) and plain is not None

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether the hash has another cost than new ones: hash again at the next right login."""
        read = _read(stored)
        return read is None or read.cost != self._cost

    def repepper(self, stored: str, randomness: Randomness, owner: str = "") -> str:
        """Seal a stored hash under the current root; no password needed, no argon2 run.

        Returns:
            The text to store; unchanged when it is current already.

        Raises:
            SecretError: It was changed, belongs to another owner, or its root is gone.
        """
        read = _read(stored)
        if read is None:
            msg = "not a stored password"
            raise SecretError(msg)
        if is_current(self._ring, read.sealed):
            return stored
        head = _head(read.cost, read.salt)
        tag = unseal(self._ring, _PURPOSE, read.sealed, head + owner)
        return f"{head}${seal(self._ring, _PURPOSE, tag, head + owner, randomness)}"

    def _opened(self, read: _Stored, owner: str) -> bytes:
        """Give the sealed tag, or nothing if it was tampered with."""
        root = read.sealed.split(".")[1]
        self._ring.key(_PURPOSE, root)  # a missing root is the operator's fault, not the password's
        try:
            return unseal(self._ring, _PURPOSE, read.sealed, _head(read.cost, read.salt) + owner)
        except SecretError:
            return b""


def normal_form(password: str) -> bytes | None:
    """Give the bytes that are hashed: NFC, UTF-8, whole.

    Returns:
        None when it is longer than `MAX_BYTES` or holds half a surrogate pair.
    """
    # Before normalising: the work grows with the text, and each character is at least a byte.
    if len(password) > MAX_BYTES:
        return None
    try:
        plain = normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return plain if len(plain) <= MAX_BYTES else None


def _read(stored: str) -> _Stored | None:
    parts = _HASH.fullmatch(stored)
    if parts is None:
        return None
    memory, passes, lanes, salt, sealed = parts.groups()
    raw = base64.decode(salt)
    try:
        cost = Cost(memory=int(memory), passes=int(passes), lanes=int(lanes))
    except UsageError:
        return None
    return None if raw is None else _Stored(cost, raw, sealed)


def _head(cost: Cost, salt: bytes) -> str:
    return f"$garrison1$m={cost.memory},t={cost.passes},p={cost.lanes}${base64.encode(salt)}"


def _argon2(plain: bytes, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(plain, salt, cost.passes, cost.memory, cost.lanes, _TAG_BYTES, Type.ID)
