"""Blocks as records: kept over a restart, written with their event, and heard of by every process within a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from garrison.errors import UsageError
from garrison.model.event import Event
from garrison.model.net import network_of
from garrison.stores.protocols import Consume, Kind, Put, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.stores.news import News
    from garrison.stores.protocols import Records

__all__ = ["BLOCKS", "GUARD", "REMEMBERED", "TOPIC", "BlockRow", "block", "lift", "network_text", "stored"]

TOPIC = "block"
"""Of the news that a block was added or lifted."""

GUARD = "guard"
"""Who blocks where nobody has decided it by hand."""

REMEMBERED = 16
"""For how many lives of `abuse.forget` it is known that there was a block: by then a thousand of them count as none."""

_PAGE = 1_000
_TRIES = 8


class BlockRow(Record, frozen=True, kw_only=True):
    """One network that is, or was, shut out."""

    network: str
    until: int = 0
    """When it ends, wall microseconds; 0: when it is lifted."""

    by: str = GUARD
    """Who decided it: the guard, or an operator."""

    reason: str = ""
    at: int = 0
    """When, wall microseconds."""

    former: int = 0
    """How often the network was shut out, times `limits.suspicion.UNIT`, as of `at`."""

    evidence: dict[str, int] = field(default_factory=dict)
    """What came from it, and how often."""

    purge: int = 0
    """When the record may be cleaned up, wall microseconds; 0: never."""


BLOCKS = Kind(name="blocks", struct=BlockRow, key="network", expires="purge")


async def block(records: Records, news: News, row: BlockRow, tail: str) -> bool:
    """Store a block in the place of another of the same network, with its event and the news of it.

    Args:
        records: Where.
        news: Tells this process at once.
        row: Of any version.
        tail: A few random characters for the news.

    Returns:
        Whether it is stored; others may have been faster each time.

    Raises:
        UsageError: `row.network` is no network.
        StoreError: The store could not answer.
    """
    network_of(row.network)
    event = _event("address_blocked", row.network, row.by, row.at, row.reason, row.evidence)
    for _ in range(_TRIES):
        known: BlockRow | None = await records.get(BLOCKS, row.network)
        version = known.version if known is not None else 0
        put = Put(BLOCKS, replace(row, version=version))
        if (await records.commit([put, news.step(TOPIC, row.network, row.at, tail)], [event])).done:
            news.tell(TOPIC, row.network, row.at)
            return True
    return False


async def lift(records: Records, news: News, network: str, by: str, now: int, tail: str) -> bool:
    """End a block, and forget that there was one; False: there is none.

    Raises:
        StoreError: The store could not answer.
    """
    event = _event("address_unblocked", network, by, now, "", {})
    outcome = await records.commit([Consume(BLOCKS, network), news.step(TOPIC, network, now, tail)], [event])
    if outcome.done:
        news.tell(TOPIC, network, now)
    return outcome.done


async def stored(records: Records) -> Sequence[BlockRow]:
    """List every block that is stored, those that have ended included.

    Raises:
        StoreError: The store could not answer.
    """
    rows: list[BlockRow] = []
    while page := await records.find(BLOCKS, "", "", rows[-1].network if rows else "", _PAGE):
        rows += page
    return rows


def _event(code: str, network: str, by: str, at: int, reason: str, evidence: Mapping[str, int]) -> Event:
    return Event(
        code=code,
        at=at,
        actor=by,
        subject=network,
        outcome="success",
        severity="warning",
        reason=reason,
        details=dict(evidence),
    )


def network_text(text: str) -> str:
    """Check what an operator writes: a network, or one address.

    Raises:
        UsageError: It is neither, or it is everybody.
    """
    _, mask, _ = network_of(text)
    if not mask:
        msg = f"{text} is everybody; name a network"
        raise UsageError(msg)
    return text
