"""A keyed hash chain: every record of a journal vouches for all records before it.

Whoever can write the journal but has no key can neither change, insert, drop nor reorder a record unseen.
A chain cannot show that its tail was cut off; the store keeps its head apart for that.

Sources: RFC 2104 (HMAC); the chain of Schneier and Kelsey, "Secure audit logs" (1999), without key evolution.
"""

from __future__ import annotations

import hmac

from garrison.errors import UsageError

__all__ = ["GENESIS", "LINK_BYTES", "link"]

LINK_BYTES = 32
"""Length of a link: one SHA-256."""

GENESIS = bytes(LINK_BYTES)
"""What the first record of a chain has before it."""


def link(key: bytes, previous: bytes, sequence: int, body: bytes) -> bytes:
    """Give the link of one record: HMAC-SHA256 over the link before, its number and its body.

    Args:
        key: The chain's purpose key, at least 32 bytes.
        previous: The link before, or `GENESIS`; 32 bytes.
        sequence: Number of the record, from 1.
        body: The record as bytes, always written the same way.

    Raises:
        UsageError: The key is short, or `previous` is no link. Both parts before the body have a fixed
            length, so that no byte can move between them (two different records never hash alike).
    """
    if len(previous) != LINK_BYTES or len(key) < LINK_BYTES or sequence < 1:
        msg = "a link needs a key of 32 bytes, the link before and a number from 1"
        raise UsageError(msg)
    return hmac.digest(key, previous + sequence.to_bytes(8, "big") + body, "sha256")
