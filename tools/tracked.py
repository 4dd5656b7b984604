"""Refuse a tracked file that holds a registry's address, a secret, or a path of the machine it was written on.

Reads what git tracks, as bytes, and prints the place and the rule, never the secret. Each pattern is written so that
it does not match its own source.
"""

from __future__ import annotations

import re
import subprocess
import sys
from binascii import crc32
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

__all__ = ["Find", "Rule", "main", "search"]

_DIGITS = b"0123456789"
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_ALPHABETS = (_DIGITS + _UPPER + _LOWER, _DIGITS + _LOWER + _UPPER)
"""Both orders of base62 are checked: a key is a secret whichever it was written with."""

_CHECK = 6
"""Letters at the end of an API key that hold the CRC-32 of everything before them."""


class Rule(NamedTuple):
    """What must not stand in a tracked file, and the folders where it may stand all the same."""

    name: str
    pattern: re.Pattern[bytes]
    except_under: tuple[str, ...] = ()


class Find(NamedTuple):
    """A place that breaks a rule."""

    path: str
    line: int
    rule: str


_REGISTRIES = (
    rb"pypi[.]org|pythonhosted[.]org|registry[.]npmjs[.]org|npmjs[.]com|registry[.]yarnpkg[.]com|crates[.]io|rubygems[.]org"
    rb"|proxy[.]golang[.]org|repo1?[.]maven[.](?:apache[.])?org|(?:deb|security)[.]debian[.]org|conda[.]anaconda[.]org"
)
_RULES = (
    Rule("the address of a registry", re.compile(rb"(?i)\b(?:" + _REGISTRIES + rb")\b")),
    Rule(
        "the address of a registry", re.compile(rb"--?(?:extra-)?(?:index-url|find-links)[ =]+[\"']?(?:https?|file):")
    ),
    Rule(
        "a path of a machine",
        re.compile(rb"(?<![\w.])/(?:root|home/\w[\w.-]*|Users/\w[\w.-]*|opt/(?:wheels|pypi[\w-]*))/[\w.]"),
    ),
    Rule("a path of a machine", re.compile(rb"(?<![\w.])/(?:tmp|work)/(?:garrison|main|shared|[.]library)\b")),
    Rule("a path of a machine", re.compile(rb"(?i)\b[a-z]:\\{1,2}users\\{1,2}\w")),
    Rule("a private key", re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"), ("tests/vectors/",)),
    Rule("a private key", re.compile(rb"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b")),
    Rule("a signed token", re.compile(rb"\beyJ[\w-]{10,}[.]eyJ[\w-]{10,}[.][\w-]{20,}"), ("tests/",)),
    Rule("an AWS key", re.compile(rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b")),
    Rule("a GitHub token", re.compile(rb"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{82})\b")),
    Rule("a GitLab token", re.compile(rb"\bgl(?:pat|dt|ptt|rt|oas)-[\w-]{20,}")),
    Rule("a Slack token", re.compile(rb"\bxox[abeoprs]-[\w-]{10,}")),
    Rule("a Stripe key", re.compile(rb"\b[rs]k_(?:live|test|prod)_[0-9A-Za-z]{20,99}\b")),
    Rule("a Google key", re.compile(rb"\bAIza[\w-]{35}\b")),
    Rule("a package registry's token", re.compile(rb"\b(?:npm_[0-9A-Za-z]{36}|pypi-AgE[\w-]{50,})\b")),
    Rule("a language model's key", re.compile(rb"\bsk-(?:ant-|proj-)[\w-]{40,}")),
    Rule("a SendGrid key", re.compile(rb"\bSG[.][\w-]{22}[.][\w-]{43}\b")),
)
_LOCKED = Rule("an address in a lock file", re.compile(rb"\b(?:https?|git|file)(?:[+]\w+)?://"))
_LOCK_FILE = re.compile(r"requirements[\w.-]*\.(?:txt|lock)|package-lock\.json|npm-shrinkwrap\.json|uv\.lock")
_OWN_KEY = re.compile(rb"\b[a-z][a-z0-9]{1,9}_(?:sk|pk|rk)_(?:live|test|dev)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b")


def search(path: str, content: bytes, root: str) -> Iterator[Find]:
    """Find everything in one file that must not be tracked.

    Args:
        path: The file's name relative to the root, as git writes it.
        content: What it holds.
        root: Where the repository stands on this machine; that path must not occur either.
    """
    rules = [*_RULES]
    if root.count("/") > 1:  # a checkout in `/app` would accuse every route of that name
        rules.append(Rule("the place of this checkout", re.compile(rb"(?<![\w.])" + re.escape(root.encode()) + rb"\b")))
    if _LOCK_FILE.fullmatch(PurePosixPath(path).name):
        rules.append(_LOCKED)
    for rule in rules:
        if not path.startswith(rule.except_under or ("\0",)):
            yield from (_find(path, content, match, rule.name) for match in rule.pattern.finditer(content))
    if not path.startswith("tests/vectors/"):
        keys = (match for match in _OWN_KEY.finditer(content) if _is_key(match[0]))
        yield from (_find(path, content, match, "an API key of ours, its checksum right") for match in keys)


def main(root: Path = Path()) -> int:
    """Search every file that git tracks under `root` and print what was found; 1 means that something was."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True)
    paths = [path for path in listed.stdout.decode().split("\0") if (root / path).is_file()]
    finds = list(_all(root, paths))
    for find in finds:
        print(f"{find.path}:{find.line}: {find.rule}")
    print(f"tracked files: {len(paths)} searched, {len(finds)} finds")
    return 1 if finds else 0


def _all(root: Path, paths: Sequence[str]) -> Iterator[Find]:
    place = str(root.resolve())
    for path in paths:
        yield from search(path, (root / path).read_bytes(), place)


def _find(path: str, content: bytes, match: re.Match[bytes], rule: str) -> Find:
    return Find(path, content.count(b"\n", 0, match.start()) + 1, rule)


def _is_key(key: bytes) -> bool:
    """Tell whether the last letters are the checksum: made-up examples in the documentation are no secrets."""
    return any(_base62(key[-_CHECK:], alphabet) == crc32(key[:-_CHECK]) for alphabet in _ALPHABETS)


def _base62(letters: bytes, alphabet: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * len(alphabet) + alphabet.index(letter)
    return number


if __name__ == "__main__":
    sys.exit(main())
