"""The key ring: one root key outside the store, and for every purpose a key of its own.

A purpose key is derived (HKDF-SHA256) and never stored. Whoever learns one learns neither the root nor any
other purpose's key. Rotation puts a new root in front; the older ones stay as long as something was made
with them, and what was made names its root by id.

Pure: the roots come in as bytes; where they are kept is the policy's business.

Sources: RFC 5869; NIST SP 800-57 part 1 section 5.2 (one key, one purpose).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from garrison.errors import SecretError, UsageError
from garrison.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KEY_BYTES", "ROOT_BYTES", "KeyRing"]

ROOT_BYTES = 32
"""A root is at least this long: 256 bits, so that no search finds it."""

KEY_BYTES = 32
"""Length of every purpose key."""

_DISTINCT = 8
"""A root with fewer different bytes is a typed word or a placeholder; 32 random bytes have about 30."""

_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_ID_BYTES = 4


class KeyRing:
    """Root keys, the current one first; gives each purpose its key."""

    __slots__ = ("_keys", "_roots", "current", "ids")

    def __init__(self, roots: Sequence[Secret | bytes]) -> None:
        """Take the roots, newest first.

        A root is known by an id derived from itself, so that nobody can give two roots one name or one
        root two.

        Args:
            roots: At least one, each of at least 32 unpredictable bytes.

        Raises:
            SecretError: None given, one too short or plainly not random, or one given twice.
        """
        secrets = [root if isinstance(root, Secret) else Secret(root) for root in roots]
        self._roots = {_id_of(secret): secret for secret in secrets}
        if len(self._roots) != len(secrets) or not secrets:
            msg = "a key ring needs at least one root key, and each only once"
            raise SecretError(msg)
        self.ids = tuple(self._roots)
        self.current = self.ids[0]
        self._keys: dict[tuple[str, str], bytes] = {}

    def key(self, purpose: str, root: str = "") -> bytes:
        """Give a purpose its key: 32 bytes, always the same for the same root and purpose.

        Args:
            purpose: What the key is for, `password-pepper`; a constant of the code, never input.
            root: Id of the root; empty: the current one.

        Raises:
            SecretError: The ring has no such root. Something stored was made with one that is gone.
        """
        key = self._keys.get((root, purpose))
        if key is None:
            key = self._keys[root, purpose] = _derive(self._root(root or self.current), _checked(purpose))
        return key

    def _root(self, root: str) -> Secret:
        secret = self._roots.get(root)
        if secret is None:
            msg = f"no root key with the id {root[:16]!r}; put the retired root key back behind the current one"
            raise SecretError(msg)
        return secret

    def __contains__(self, root: object) -> bool:
        """Tell whether the ring has a root of this id."""
        return root in self._roots

    def __repr__(self) -> str:
        """Show the ids, never a key."""
        return f"KeyRing({', '.join(self.ids)})"


def _checked(purpose: str) -> str:
    if _PURPOSE.fullmatch(purpose) is None:
        msg = f"a purpose is written like password-pepper, not {purpose!r}"
        raise UsageError(msg)
    return "purpose:" + purpose


def _id_of(root: Secret) -> str:
    raw = root.reveal()
    if len(raw) < ROOT_BYTES or len(set(raw)) < _DISTINCT:
        msg = f"a root key has at least {ROOT_BYTES} unpredictable bytes; make one with: openssl rand -hex 32"
        raise SecretError(msg)
    return _derive(root, "id")[:_ID_BYTES].hex()


def _derive(root: Secret, label: str) -> bytes:
    # The label keeps the published id and every purpose key apart: none is computed from another.
    return HKDF(SHA256(), KEY_BYTES, b"garrison", b"garrison/1/" + label.encode()).derive(root.reveal())
