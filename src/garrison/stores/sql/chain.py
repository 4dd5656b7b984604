"""The journal's chain inside a write transaction: its end is read, extended and written back in one step.

The write lock is held meanwhile, so no two threads or processes can extend a chain from the same place.

A head that nobody with the key has written means that the journal was tampered with, or that its root key is
gone. The broken chain is then left alone, as evidence, and a new one begins with an event that says so: an
attacker can neither have the store seal over the damage nor silence the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from garrison.errors import StoreError
from garrison.model.event import Event
from garrison.stores.kinds import at_most
from garrison.stores.protocols import Head, Sealed
from garrison.stores.sealing import Links, body_of, event_of, follow, genuine, head_of, rebased, writer_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.stores.protocols import Query
    from garrison.stores.sql.dialect import Connection, Dialect

__all__ = ["MOST_CHAINS", "UNREADABLE", "Chain", "heads", "read"]

UNREADABLE = Event(code="audit_unreadable", at=0, severity="critical", outcome="failed")
"""Stands for a stored event that cannot be read."""

MOST_CHAINS = 1_000
"""Chains begun anew after a damage; beyond it the store refuses to write events."""

_HEADS = "SELECT writer, sequence, mac, base, base_mac, seal FROM garrison_head"
_KEEP_HEAD = (
    "INSERT INTO garrison_head VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (writer) DO UPDATE SET "
    "sequence = excluded.sequence, mac = excluded.mac, base = excluded.base, base_mac = excluded.base_mac, "
    "seal = excluded.seal"
)
_KEEP = "INSERT INTO garrison_journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, {}, ?8)"


class Chain:
    """Extends the journal; used by the writer's thread alone."""

    __slots__ = ("_first", "_keep", "_keys", "_writer")

    def __init__(self, keys: Sequence[bytes], writer: str, dialect: Dialect) -> None:
        """Take the keys, the current one first; older ones only recognise a head they sealed.

        Raises:
            UsageError: A key is short, or the name is none.
        """
        self._first = self._writer = writer_name(writer)
        self._keep = _KEEP.format(dialect.text.format("?7"))
        for key in keys:
            follow(key, writer, Links(), [b""])  # says at once when a key is too short
        self._keys = tuple(keys)

    def extend(self, connection: Connection, bodies: Sequence[bytes], now: int) -> None:
        """Append events within the open transaction.

        Raises:
            StoreError: There are too many broken chains.
            Exception: Of the driver: the database failed; the caller rolls back.
        """
        if not bodies:
            return
        end, base, notice = self._end(connection, now)
        bodies = [*notice, *bodies]
        links = follow(self._keys[0], self._writer, end, bodies)
        connection.executemany(
            self._keep, [_row(self._writer, link, body) for link, body in zip(links, bodies, strict=True)]
        )
        _keep(connection, head_of(self._keys[0], self._writer, links[-1], base))

    def trim(self, connection: Connection, before: int, limit: int) -> int:
        """Remove old events from the beginning of every chain whose head is genuine; tells how many."""
        removed = 0
        for head in heads(connection):
            if genuine(self._keys, head) is None or removed >= limit:
                continue
            last = _last_before(connection, head, before, limit - removed)
            if last is not None:
                gone = connection.execute(
                    "DELETE FROM garrison_journal WHERE writer = ?1 AND sequence <= ?2", (head.writer, last.sequence)
                )
                removed += gone.rowcount
                _keep(connection, rebased(self._keys[0], head, last))
        return removed

    def _end(self, connection: Connection, now: int) -> tuple[Links, Links, list[bytes]]:
        """Find the end of a sound chain, its base, and what has to be said first in a new one."""
        broken = ""
        for number in range(1, MOST_CHAINS):
            head = _head(connection, self._writer)
            if head is not None and genuine(self._keys, head) is not None:
                end = Links(head.sequence, bytes.fromhex(head.mac))
                return end, Links(head.base, bytes.fromhex(head.base_mac)), []
            if head is None and not _begun(connection, self._writer):
                return Links(), Links(), [_notice(broken, now)] if broken else []
            broken, self._writer = self._writer, f"{self._first}-{number + 1}"
        msg = "the journal was tampered with; every one of its chains is broken"
        raise StoreError(msg)


def read(connection: Connection, dialect: Dialect, query: Query, after: tuple[str, int]) -> tuple[Sealed, ...]:
    """Read events in chain order after a place, or backwards before it.

    What is no event any more is given as `UNREADABLE`, with its bytes: `garrison.audit.verify` has to see it.

    Raises:
        Exception: Of the driver: the database failed.
    """
    # A row whose number is none could not be paged past; without it, the number that should be there is missing.
    where = [dialect.whole]
    values: list[str | int] = []
    wishes: tuple[tuple[str, str | int], ...] = (
        ("code = ?", query.code),
        ("actor = ?", query.actor),
        ("subject = ?", query.subject),
        ("at >= ?", query.since),
        ("at < ?", query.until),
    )
    for condition, value in wishes:
        if value:
            where.append(condition)
            values.append(value)
    if after != ("", 0):
        where.append(f"(writer, sequence) {'<' if query.newest else '>'} (?, ?)")
        values.extend(after)
    order = "DESC" if query.newest else "ASC"
    rows = connection.execute(
        "SELECT writer, sequence, at, code, actor, subject, body, mac FROM garrison_journal "
        f"WHERE {' AND '.join(where)} ORDER BY writer {order}, sequence {order} LIMIT ?",
        (*values, at_most(query.limit)),
    )
    return tuple([_sealed(row) for row in rows])


def heads(connection: Connection) -> tuple[Head, ...]:
    """Read where every chain ends, in order of writers.

    Raises:
        Exception: Of the driver: the database failed.
    """
    rows = connection.execute(f"{_HEADS} ORDER BY writer").fetchall()
    return tuple([_head_of_row(row) for row in rows])


def _head(connection: Connection, writer: str) -> Head | None:
    row = connection.execute(f"{_HEADS} WHERE writer = ?1", (writer,)).fetchone()
    return None if row is None else _head_of_row(row)


def _head_of_row(row: tuple[Any, ...]) -> Head:
    writer, sequence, mac, base, base_mac, seal = row
    return Head(
        writer=_text(writer),
        sequence=sequence if isinstance(sequence, int) else 0,
        mac=_hex(mac),
        base=base if isinstance(base, int) else 0,
        base_mac=_hex(base_mac),
        seal=_text(seal),
    )


def _sealed(row: tuple[Any, ...]) -> Sealed:
    writer, sequence, at, code, actor, subject, body, mac = row
    raw = body if isinstance(body, bytes) else str(body).encode()
    try:
        event = event_of(raw)
    except (msgspec.MsgspecError, ValueError):
        event = UNREADABLE
    # Somebody who changes only the columns would hide an event from every search.
    if (event.at, event.code, event.actor, event.subject) != (at, _text(code), _text(actor), _text(subject)):
        event = UNREADABLE
    return Sealed(sequence=sequence, writer=_text(writer), event=event, mac=_hex(mac), body=raw)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else ""


def _row(writer: str, link: Links, body: bytes) -> tuple[str | int | bytes, ...]:
    event = event_of(body)
    return (writer, link.sequence, event.at, event.code, event.actor, event.subject, body, link.mac)


def _keep(connection: Connection, head: Head) -> None:
    values = (head.writer, head.sequence, bytes.fromhex(head.mac), head.base, bytes.fromhex(head.base_mac), head.seal)
    connection.execute(_KEEP_HEAD, values)


def _begun(connection: Connection, writer: str) -> bool:
    found = connection.execute("SELECT 1 FROM garrison_journal WHERE writer = ?1 LIMIT 1", (writer,)).fetchone()
    return found is not None


def _notice(broken: str, now: int) -> bytes:
    return body_of(
        Event(
            code="audit_chain_broken",
            at=now,
            subject=broken,
            outcome="failed",
            severity="critical",
            reason="head_not_genuine",
        )
    )


def _last_before(connection: Connection, head: Head, before: int, limit: int) -> Links | None:
    """Find the last event that may go: older than `before`, with none before it that must stay."""
    last = None
    rows = connection.execute(
        "SELECT sequence, at, mac FROM garrison_journal WHERE writer = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3",
        (head.writer, head.sequence, limit),
    )
    for sequence, at, mac in rows:
        if at >= before:
            break
        last = Links(sequence, mac)
    return last
