"""Where databases differ; everything else of the SQL stores is the same text and the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Connection", "Cursor", "Dialect"]


class Cursor(Protocol):
    """The result of one statement."""

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        ...

    def fetchone(self) -> Any:
        """Give the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        ...


class Connection(Protocol):
    """One connection, as the standard library's `sqlite3` has it: parameters are `?1`, `?2` or `?` in order."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any:
        """Run one statement; gives a `Cursor`."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Run one statement for each row."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Dialect(NamedTuple):
    """What one database needs said otherwise."""

    error: type[Exception]
    """Of the driver; every other error of it is one of these."""

    of_one: tuple[type[Exception], ...]
    """Errors that one piece of work brings upon itself; any other ends its whole group."""

    begin: tuple[tuple[str, ...], tuple[str, ...]]
    """Statements that begin a transaction which alone may write: one that a power cut may undo, and a durable one."""

    text: str
    """Makes bytes of UTF-8 a text: `CAST({} AS TEXT)`."""

    whole: str
    """Tells that `sequence` is a whole number, where a column may hold something else."""
