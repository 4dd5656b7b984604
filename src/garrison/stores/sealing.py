"""How events become links of a chain; every store seals with these few functions, `garrison.audit` verifies.

Sources: `garrison.crypto.chain`. The writer's name goes into every link: without it, the first record of one
chain could be moved to the beginning of another.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from garrison.crypto.chain import GENESIS, link
from garrison.errors import UsageError
from garrison.model.event import Event
from garrison.stores.protocols import Head, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["WRITER", "Links", "body_of", "event_of", "follow", "genuine", "head_of", "linked", "rebased", "writer_name"]

WRITER = "main"
"""Name of the chain unless said otherwise."""

_LAST = 2**63 - 1
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


class Links(NamedTuple):
    """The end of a chain while it grows: number and link of the last event."""

    sequence: int = 0
    mac: bytes = GENESIS


def writer_name(name: str) -> str:
    """Check the name of a chain.

    Raises:
        UsageError: It is not like `main`.
    """
    if _NAME.fullmatch(name) is None:
        msg = f"a chain is named like main, not {name!r}"
        raise UsageError(msg)
    return name


def body_of(event: Event) -> bytes:
    """Write an event the way it is hashed and stored.

    Raises:
        UsageError: A field is of another type than it says, or the instant is none a database could keep. Found
            out here, in the caller's hands: an event that cannot be stored must not hold up all those behind it.
    """
    try:
        body = _encode(event)
        if -_LAST <= _decode(body).at <= _LAST:
            return body
        reason = "its instant is out of range"
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        reason = str(error)
    msg = f"the event {str(event.code)[:40]!r} cannot be stored: {reason}"
    raise UsageError(msg)


def event_of(body: bytes) -> Event:
    """Read an event back.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _decode(body)


def linked(key: bytes, previous: bytes, sequence: int, writer: str, body: bytes) -> bytes:
    """Give the link of one event. A writer's name has no line feed, so no byte can move between name and body."""
    return link(key, previous, sequence, writer.encode() + b"\n" + body)


def follow(key: bytes, writer: str, end: Links, bodies: Iterable[bytes]) -> list[Links]:
    """Give the links of events that follow the end of a chain, in order."""
    links = []
    for body in bodies:
        sequence = end.sequence + 1
        end = Links(sequence, linked(key, end.mac, sequence, writer, body))
        links.append(end)
    return links


def head_of(key: bytes, writer: str, end: Links, base: Links) -> Head:
    """Write down where a chain ends and begins, sealed."""
    return Head(
        writer=writer,
        sequence=end.sequence,
        mac=end.mac.hex(),
        base=base.sequence,
        base_mac=base.mac.hex(),
        seal=_seal(key, writer, end, base),
    )


def rebased(key: bytes, head: Head, base: Sealed | Links) -> Head:
    """Move the beginning of a chain behind an event that retention removes."""
    mac = bytes.fromhex(base.mac) if isinstance(base, Sealed) else base.mac
    return head_of(key, head.writer, Links(head.sequence, bytes.fromhex(head.mac)), Links(base.sequence, mac))


def genuine(keys: Sequence[bytes], head: Head) -> bytes | None:
    """Give the key under which a head was sealed, or None: nobody with a key wrote it."""
    try:
        end = Links(head.sequence, bytes.fromhex(head.mac))
        base = Links(head.base, bytes.fromhex(head.base_mac))
        for key in keys:
            if hmac.compare_digest(_seal(key, head.writer, end, base).encode(), head.seal.encode()):
                return key
    except (ValueError, OverflowError, UsageError):
        return None
    return None


def _seal(key: bytes, writer: str, end: Links, base: Links) -> str:
    # The NUL keeps heads and events apart: no writer's name begins with one, so no event's link is a head's seal.
    body = b"\0head\n" + writer.encode() + b"\n" + base.sequence.to_bytes(8, "big") + base.mac
    return link(key, end.mac, end.sequence, body).hex()
