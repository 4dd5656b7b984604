"""The audit journal for those who read it: what is recorded, whether it is whole, and how it leaves the house.

`tail`, `verify`, `anchor` and `export` are what `garrison audit` runs; each takes any journal and is driven or awaited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.audit.codes import CODES, Code, code_of, refused
from garrison.audit.export import FORMS, line, read_line
from garrison.audit.recorder import Recorder
from garrison.audit.verify import Flaw, Proof, Report, anchor, anchors, verify
from garrison.stores.protocols import Query
from garrison.stores.redact import clean, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.stores.protocols import Journal, Sealed

__all__ = [
    "CODES",
    "FORMS",
    "Code",
    "Flaw",
    "Proof",
    "Recorder",
    "Report",
    "anchor",
    "anchors",
    "clean",
    "code_of",
    "export",
    "line",
    "read_line",
    "redact",
    "refused",
    "tail",
    "verify",
]

_PAGE = 1_000


async def tail(journal: Journal, query: Query | None = None) -> Sequence[Sealed]:
    """Give the newest events that a query matches, the oldest of them first.

    To follow the journal, go on with `journal.read(query, place)` from the last one's (writer, sequence).

    Raises:
        StoreError: The journal cannot be read.
    """
    wish = query or Query()
    newest = Query(
        code=wish.code,
        actor=wish.actor,
        subject=wish.subject,
        since=wish.since,
        until=wish.until,
        limit=wish.limit,
        newest=True,
    )
    return tuple(reversed(await journal.read(newest)))


async def export(
    journal: Journal, write: Callable[[bytes], object], form: str = "jsonl", query: Query | None = None
) -> int:
    """Write every event that a query matches, oldest first, a line each.

    Args:
        journal: The journal.
        write: Takes the lines, `sys.stdout.buffer.write`.
        form: One of `FORMS`.
        query: Which events; its limit counts for the whole export, 0 means: all.

    Returns:
        How many were written.

    Raises:
        StoreError: The journal cannot be read.
        UsageError: There is no such form.
    """
    wish = query or Query(limit=0)
    page = Query(
        code=wish.code, actor=wish.actor, subject=wish.subject, since=wish.since, until=wish.until, limit=_PAGE
    )
    written, place = 0, ("", 0)
    while events := await journal.read(page, place):
        for sealed in events:
            if wish.limit and written >= wish.limit:
                return written
            write(line(sealed, form))
            written += 1
        place = (events[-1].writer, events[-1].sequence)
    return written
