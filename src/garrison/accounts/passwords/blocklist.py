"""Passwords that every guesser tries first: looked up in a Bloom filter that comes with the package.

A Bloom filter forgets nothing it was told and now and then knows too much: about one unlisted password in
100,000 is called common, and its owner picks another. `tools/passwords.py` builds the file.

Sources: NIST SP 800-63B-4 section 3.1.1.2 (the whole password is compared); ASVS 5.0 6.2.4 and 6.2.12.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING
from unicodedata import normalize

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LONGEST", "SHORTEST", "Blocklist", "common_passwords", "folded", "repeats", "write"]

SHORTEST = 8
"""Listed passwords have at least this many characters; a policy that allows shorter ones is not served by the list."""

LONGEST = 64
"""Listed passwords have at most this many characters."""

_BITS_EACH = 24
"""Bits that each listed password takes, m / n: log2(100,000) / ln 2."""

_PROBES = 17
"""Bits that each listed password sets, k: log2(100,000). So one unlisted password in 100,000 is taken for listed."""

_MAGIC = b"garrison-bloom-1"
_HEAD = len(_MAGIC) + 5
_RESOURCE = "common.bloom"


class Blocklist:
    """A set of passwords that can be asked, and from which none can be read."""

    __slots__ = ("_bits", "_probes", "_size")

    def __init__(self, data: bytes) -> None:
        """Take what `write` gave.

        Raises:
            UsageError: It is no such file.
        """
        size = int.from_bytes(data[len(_MAGIC) + 1 : _HEAD], "big")
        if not data.startswith(_MAGIC) or size == 0 or len(data) != _HEAD + -(-size // 8):
            msg = "not a block list of passwords"
            raise UsageError(msg)
        self._probes = data[len(_MAGIC)]
        self._size = size
        self._bits = memoryview(data)[_HEAD:]

    def __contains__(self, password: str) -> bool:
        """Tell whether the password, in any letter case, is listed."""
        places = _places(password, self._probes, self._size)
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in places)


@cache
def common_passwords() -> Blocklist:
    """Give the list that comes with the package: read once, about 600 KB."""
    return Blocklist(files(__package__).joinpath(_RESOURCE).read_bytes())


def write(passwords: Sequence[str]) -> bytes:
    """Make the file of a set of passwords; the same set gives the same bytes.

    Args:
        passwords: At least one; they are folded here.
    """
    members = sorted({folded(password) for password in passwords})
    size = len(members) * _BITS_EACH
    bits = bytearray(-(-size // 8))
    for member in members:
        for place in _places(member, _PROBES, size):
            bits[place >> 3] |= 1 << (place & 7)
    return _MAGIC + bytes([_PROBES]) + size.to_bytes(4, "big") + bytes(bits)


def folded(password: str) -> str:
    """Give the form in which passwords are compared with the list: letter case and look-alike widths are one."""
    return normalize("NFKC", password).casefold()


def repeats(password: str) -> bool:
    """Tell whether the password is one short part again and again: `abcabcabc`, `passwordpassword`."""
    text = folded(password)
    if len(text) < 2:
        return False
    # The second place where a text stands in its own double is its period; the tail may be cut off.
    period = next(step for step in range(1, len(text) + 1) if text.startswith(text[step:]))
    return period * 2 <= len(text)


def _places(password: str, probes: int, size: int) -> Iterator[int]:
    """Double hashing (Kirsch and Mitzenmacher 2006): two hashes stand for as many as are needed."""
    digest = blake2b(folded(password).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + number * step) % size for number in range(probes))
