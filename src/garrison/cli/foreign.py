"""Read the keys of another system from a file: one JSON object a line, a hash and what the key is to be here.

`{"hash": "…", "name": "billing", "scopes": ["invoices:read"], "owner": "ada"}`; besides `hash` and `owner` a line
has the fields of `garrison.credentials.key_order.NewKey`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from garrison.credentials.key_import import MOST_IMPORTED, ForeignKey
from garrison.credentials.key_order import NewKey
from garrison.errors import UsageError
from garrison.model.fit import fit, path_text
from garrison.policy.notation import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from garrison.model.principal import Principal

__all__ = ["batches", "foreign_keys", "secret_of", "with_lines"]


def foreign_keys(path: Path, owner: Callable[[str], Principal]) -> tuple[ForeignKey, ...]:
    """Read a file of foreign keys.

    Args:
        path: The file.
        owner: Finds a user by name.

    Raises:
        UsageError: It cannot be read, or a line is not what it must be; the text names the line.
    """
    found = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_foreign_key(msgspec.json.decode(line, type=dict[str, Any]), owner))
        except (msgspec.MsgspecError, UsageError) as error:
            msg = f"{path} line {number}: {error}"
            raise UsageError(msg) from None
    return tuple(found)


def secret_of(path: Path | None) -> bytes:
    """Read the other system's HMAC key; a line end behind it is not part of it."""
    return b"" if path is None else _read(path).rstrip(b"\r\n")


def batches(keys: Sequence[ForeignKey]) -> Iterator[tuple[int, Sequence[ForeignKey]]]:
    """Cut keys into what one commit takes, each part with the number of its first key."""
    for first in range(0, len(keys), MOST_IMPORTED):
        yield first, keys[first : first + MOST_IMPORTED]


def with_lines(errors: Sequence[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    """Name the key of the file in each error of a part: `key 7: scopes[0]`."""
    told = []
    for error in errors:
        number, _, path = str(error["path"]).partition("]")
        index = int(number.removeprefix("["))
        inside = re.sub(r"^\.(?:order\.)?", "", path)
        told.append({**error, "path": f"key {first + index + 1}: {inside}"})
    return told


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise UsageError(msg) from None


def _foreign_key(line: dict[str, Any], owner: Callable[[str], Principal]) -> ForeignKey:
    digest, name = line.pop("hash", ""), line.pop("owner", "")
    if not isinstance(digest, str) or not isinstance(name, str):
        msg = "hash and owner are texts"
        raise UsageError(msg)
    read = fit(line, NewKey, READERS)
    if read.value is None:
        raise UsageError("; ".join(f"{path_text(misfit.path)}: {misfit.text}" for misfit in read.misfits))
    return ForeignKey(hash=digest, order=read.value, owner=owner(name) if name else None)
