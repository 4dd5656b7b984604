"""Whom a limit counts, as one text: different for every different rule and party.

Whoever may choose a name must not be able to choose somebody else's counter with it. So the parts are escaped, not
merely joined: `("a/b", "c")` and `("a", "b/c")` are two subjects. Long and non-ASCII texts are hashed, so that a
key is at most 200 plain characters in every store.
"""

from __future__ import annotations

from typing import Final

from garrison.model.net import wider

__all__ = ["LONGEST_KEY", "bounded", "coarser", "subject_key"]

LONGEST_KEY: Final = 200
"""Characters of the longest key that is kept as it is."""

_ESCAPES: Final = {ord("%"): "%25", ord("|"): "%7C", ord("#"): "%23"}


def subject_key(rule: str, *parties: str) -> str:
    """Name the counter of a rule and of the parties it counts together.

    Args:
        rule: Who asks: the route of the policy and the place of the limit in it.
        parties: Who is counted: an address from `garrison.model.net.address_subject`, a `Principal.id`, or
            several of them, such as an account and an address.

    Returns:
        At most 200 printable or control characters of ASCII.
    """
    key = "|".join((rule, *parties))
    if "%" in key or "#" in key or key.count("|") != len(parties):
        key = "|".join([part.translate(_ESCAPES) for part in (rule, *parties)])
    return key if len(key) <= LONGEST_KEY and key.isascii() else bounded(key)


def coarser(key: str) -> str:
    """Name the counter of the network around the address that a key ends with.

    A store that is flooded with new addresses counts further ones by network instead of forgetting anybody.

    Args:
        key: From `subject_key`, or a rule's prefix without a colon, then a colon, then the address.

    Returns:
        The key of the /24 or /48 around it; empty when the key ends with no address.
    """
    start = key.rfind("|") + 1 or key.find(":") + 1
    network = wider(key[start:])
    return key[:start] + network if network else ""


def bounded(key: str) -> str:
    """Give a key of at most 200 ASCII characters for any text: itself, or its hash."""
    if len(key) <= LONGEST_KEY and key.isascii():
        return key
    from hashlib import blake2b

    # 160 bits: whoever chooses both names must make 2**80 of them to find two with one counter.
    # "#" begins no key of `subject_key`, since it is escaped there. Lone surrogates are text too (PEP 383).
    return "#" + blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
