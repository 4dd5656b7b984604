"""Numbered files that bring a database up to date, each applied once and never changed afterwards."""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from garrison.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Migration", "checked", "migrations_of"]

_FILE = re.compile(r"(\d{4})_[a-z_]+\.sql", re.ASCII)


class Migration(NamedTuple):
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


def migrations_of(package: str) -> tuple[Migration, ...]:
    """Read the files of a store's package in order."""
    found = []
    for file in files(package).joinpath("migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match is not None:
            found.append(Migration(int(match[1]), file.name, file.read_text("utf-8").replace("\r\n", "\n")))
    return tuple(sorted(found))


def checked(steps: Sequence[Migration], applied: Mapping[int, str]) -> tuple[Migration, ...]:
    """Give the files that are still to be applied.

    Args:
        steps: Every file, in order.
        applied: Checksum of each number that was applied.

    Raises:
        StoreError: A file changed after it was applied, or the database is newer than this release.
    """
    if beyond := sorted(applied.keys() - {step.number for step in steps}):
        msg = f"the store was brought up to date by a newer release (migration {beyond[-1]:04})"
        raise StoreError(msg)
    for step in steps:
        if applied.get(step.number, step.checksum) != step.checksum:
            msg = f"{step.name} is not the file that was applied to this store"
            raise StoreError(msg)
    return tuple(step for step in steps if step.number not in applied)
