"""The URL of a store, read here and nowhere else: what a policy takes is what a store opens.

| URL | store |
|---|---|
| `memory:` | ends with the process |
| `sqlite:PATH` | one file; a relative path begins at the working directory |
"""

from __future__ import annotations

import re
from pathlib import PurePath

from garrison.errors import UsageError

__all__ = ["is_file", "read"]

# Without what opens a query or a fragment where a path is written as a URL, as SQLite itself may do.
_SQLITE = re.compile(r"[^\x00-\x1f?#]+")


def read(url: str) -> tuple[str, str]:
    """Take a URL apart into its scheme and the rest.

    Raises:
        UsageError: No store has this scheme, or the rest of the URL is wrong for it. The rest is not repeated: a URL
            may hold a password.
    """
    scheme, _, rest = url.partition(":")
    if url != "memory:" and not (scheme == "sqlite" and _SQLITE.fullmatch(rest) and is_file(rest)):
        msg = f"{scheme[:40]!r} with what follows it names no store; use memory: or sqlite:PATH"
        raise UsageError(msg)
    return scheme, rest


def is_file(path: str) -> bool:
    """Tell whether a path can be that of a file, and is none of SQLite's special names."""
    name = PurePath(path).name
    return name != "" and not name.startswith((":", "file:")) and "\0" not in path
