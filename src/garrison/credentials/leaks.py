"""Find keys where they must not be: in files, text or binary, and in what other scanners read.

A key shows what it is and carries a checksum, so a finding is a key and not a likeness. What is found is told
by its public id alone; the secret is never repeated.
"""

from __future__ import annotations

import re
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.credentials.key_format import CHECK, KeyFormat, check_of
from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

__all__ = ["CHUNK", "LONGEST", "PATTERNS", "SKIPPED", "Leak", "Scanned", "leaks_in", "pattern", "scan"]

CHUNK: Final = 1 << 20
"""Bytes read at once: memory stays bounded whatever the file."""

LONGEST: Final = 10 + 1 + 2 + 1 + 4 + 1 + 12 + 1 + 49
"""Bytes of the longest key: so much of one chunk, less one, is looked at again with the next."""

SKIPPED: Final = frozenset((".git", ".hg", ".svn"))
"""Folders that are not entered: what they hold is packed, and its history is scanned by piping `git log -p`."""

_REST: Final = r"_(?:sk|pk|rk)_(?:live|test|dev)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}"
_ANY_BRAND: Final = r"[a-z][a-z0-9]{1,9}"


class Leak(NamedTuple):
    """One key that was found."""

    place: str
    """File, or name of the stream."""

    line: int
    """Counted from 1."""

    brand: str
    kind: str
    environment: str
    id: str
    """Public id; `garrison keys revoke` takes it."""

    def __str__(self) -> str:
        """Write the finding as one line, without the secret."""
        return f"{self.place}:{self.line}: {self.brand}_{self.kind}_{self.environment}_{self.id}_…"


class Scanned(NamedTuple):
    """What a scan found and what it could not read."""

    leaks: tuple[Leak, ...]
    files: int
    unread: tuple[str, ...]
    """Files that could not be opened or read; a scan that skips silently proves nothing."""


def scan(paths: Iterable[str | Path], brand: str = "") -> Scanned:
    """Look through files and folders.

    Symbolic links are not followed (they lead out of what was asked for, or in circles), and only regular
    files are opened (a pipe would wait for ever).

    Args:
        paths: Files and folders.
        brand: Look for keys of this brand only; empty: of any.
    """
    leaks: list[Leak] = []
    unread: list[str] = []
    files = 0
    for path in paths:
        for file in _files(Path(path), unread):
            try:
                with file.open("rb") as stream:
                    leaks += leaks_in(stream, str(file), brand)
                files += 1
            except OSError as failure:
                unread.append(f"{file}: {failure.strerror}")
    return Scanned(tuple(leaks), files, tuple(unread))


def leaks_in(stream: BinaryIO, place: str = "-", brand: str = "") -> Iterator[Leak]:
    """Look through a stream, such as the output of `git log -p`.

    UTF-16 is looked through as well: without its zero bytes, ASCII in it is ASCII.

    Args:
        stream: Anything that gives bytes.
        place: What the findings call it.
        brand: Look for keys of this brand only; empty: of any.
    """
    find = re.compile(((re.escape(brand) if brand else _ANY_BRAND) + _REST).encode("ascii"), re.ASCII).search
    line, kept = 1, b""
    while chunk := stream.read(CHUNK):
        window = kept + chunk.replace(b"\0", b"")
        counted = at = 0
        while found := find(window, at):
            key = _whole(found[0])
            at = found.end() if key else found.start() + 1
            if key:
                line += window.count(b"\n", counted, found.start())
                counted = found.start()
                yield _told(key, place, line)
        cut = max(at, len(window) - LONGEST + 1)
        line += window.count(b"\n", counted, cut)
        kept = window[cut:]


def _whole(text: bytes) -> bytes:
    """Give the key at the end of what looks like one: its brand may be glued to other letters; none: no check fits."""
    for start in range(text.index(b"_") - 1):
        if check_of(text[start:-CHECK]) == text[-CHECK:] and text[start : start + 1].isalpha():
            return text[start:]
    return b""


def _told(key: bytes, place: str, line: int) -> Leak:
    brand, kind, environment, id, _ = key.decode("ascii").split("_")
    return Leak(place, line, brand, kind, environment, id)


def _files(path: Path, unread: list[str]) -> Iterator[Path]:
    try:
        mode = path.lstat().st_mode
        if S_ISREG(mode):
            yield path
        if not S_ISDIR(mode):
            return
        inside = sorted(path.iterdir())
    except OSError as failure:
        unread.append(f"{path}: {failure.strerror}")
        return
    for each in inside:
        if each.name not in SKIPPED:
            yield from _files(each, unread)


def pattern(scanner: str, brand: str) -> str:
    """Write the configuration with which another scanner finds the keys of a brand.

    Args:
        scanner: One of `PATTERNS`.
        brand: The policy's `keys.brand`.

    Raises:
        UsageError: Another scanner, or no brand.
    """
    if scanner not in PATTERNS:
        msg = f"{scanner[:40]!r} is not one of {', '.join(PATTERNS)}"
        raise UsageError(msg)
    brand = KeyFormat(brand).brand
    return PATTERNS[scanner].replace("BRAND", brand).replace("REGEX", brand + _REST)


PATTERNS: Final = {
    "gitleaks": """\
# .gitleaks.toml
title = "BRAND keys"

[extend]
useDefault = true

[[rules]]
id = "BRAND-api-key"
description = "API key of BRAND"
regex = '''REGEX'''
keywords = ["BRAND_sk_", "BRAND_pk_", "BRAND_rk_"]
""",
    "trufflehog": """\
# trufflehog filesystem . --config trufflehog.yaml
detectors:
  - name: BRAND-api-key
    keywords:
      - BRAND_sk_
      - BRAND_pk_
      - BRAND_rk_
    regex:
      key: 'REGEX'
""",
    "github": """\
# Settings, code security, secret scanning, new pattern
Pattern name:    BRAND API key
Secret format:   REGEX
Before secret:   \\A|[^0-9A-Za-z]
After secret:    \\z|[^0-9A-Za-z]
""",
    "pre-commit": """\
# .pre-commit-config.yaml
repos:
  - repo: local
    hooks:
      - id: garrison-leaks
        name: no API keys in the commit
        entry: garrison leaks --brand BRAND
        language: system
        types: [file]
""",
}
"""Configurations by scanner. They know no checksum: `garrison leaks` tells a key from a likeness."""
