"""What commands print: tables on a terminal, plain lines elsewhere, JSON where it is asked for.

Much of what is shown came from strangers: paths and addresses in the journal, names of users. So whatever a
terminal would obey instead of showing is written as an escape, and no markup is read from it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from garrison.errors import GarrisonError, Problem

__all__ = ["JSON", "counted", "fail", "framed", "instant", "line", "note", "place", "printable", "rows", "say", "show"]

JSON = "garrison.json"
"""Where the context of a command remembers that JSON is wanted."""


def printable(text: object) -> str:
    """Write a text without anything that a terminal would obey: escapes, bell, line ends, bidirectional marks."""
    written = str(text)
    if written.isprintable():
        return written
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in written)


def say(text: str = "") -> None:
    """Print lines of our own; what comes from elsewhere has passed `printable`."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print a line beside the result: to standard error, so that a pipe gets the result alone."""
    sys.stderr.write(text + "\n")


def show(value: Any) -> None:
    """Print a value as JSON, indented."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    say(text.decode())


def line(value: Any) -> None:
    """Print a value as JSON on one line: for what is told while a command goes on."""
    import msgspec

    say(msgspec.json.encode(value, enc_hook=str).decode())


def rows(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Print a table; elsewhere than on a terminal the columns stand two spaces apart, without a frame."""
    cells = [[printable(cell) for cell in line] for line in lines]
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(framed(columns, cells))
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in ([column.upper() for column in columns], *cells):
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def framed(columns: Sequence[str], lines: Iterable[Sequence[object]], title: str = "") -> Table:
    """Make a table for a terminal."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False, title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        # Text, not markup: a path may hold brackets.
        table.add_row(*[Text(printable(cell)) for cell in line])
    return table


def place(path: Path) -> str:
    """Write a path as somebody in this folder would: what is below it without the way there."""
    from pathlib import Path

    whole, here = path.absolute(), Path.cwd()
    return printable(whole.relative_to(here) if whole.is_relative_to(here) else whole)


def counted(number: int, what: str) -> str:
    """Write so many of something: `1 key`, `2 keys`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def instant(microseconds: int) -> str:
    """Write an instant as a person reads it, in UTC; empty for none."""
    from datetime import UTC, datetime

    if not microseconds:
        return ""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def fail(error: GarrisonError, *, json: bool) -> None:
    """Tell why a command could not do its work: every problem a line, each with what to do."""
    problems: Sequence[Problem] = getattr(error, "problems", ())
    if json:
        found = [problem._asdict() for problem in problems]
        show({"error": {"code": error.code, "text": str(error), "problems": found}})
        return
    for problem in problems:
        note(f"garrison: {printable(problem)}")
    if not problems:
        note(f"garrison: {printable(error)}")
    cause = error.__cause__
    if cause is not None and not problems:
        note(f"garrison: because of {type(cause).__name__}: {printable(cause)}")
