"""Change the policy while serving: build everything anew, validate it, swap one reference, or keep the old.

The file is looked at, not watched: editors and orchestrators replace files by rename or by symlink, and a look
costs a few microseconds.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from garrison.errors import GarrisonError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LOOK", "Watch"]

_log = logging.getLogger("garrison.policy")

LOOK = 500_000
"""Microseconds between two looks: a change is in force within two seconds, with time to compile."""


class Watch:
    """Notices that a policy file changed."""

    def __init__(self, path: Path, change: Callable[[], object]) -> None:
        """Remember how the file looks now.

        Args:
            path: The policy file.
            change: Loads, validates and swaps; raises `GarrisonError` and changes nothing when it cannot.
        """
        self._path = path
        self._change = change
        self._look = self._stamp()
        self._lock = Lock()

    def look(self) -> None:
        """Reload if the file is not what it was; on any fault the old policy stays, and the log says why.

        What the file said when this was called is judged when it returns, whichever thread saw it first.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp != self._look:
                self._look = stamp
                self.reload()

    def reload(self) -> bool:
        """Reload now, whatever the file looks like; tell whether the new policy is in force."""
        try:
            self._change()
        except PolicyError as error:
            _log.error("the changed policy is refused, the old one stays in force:\n%s", error)  # no trace
            return False
        except (GarrisonError, OSError) as error:
            _log.error("the policy could not be reloaded, the old one stays in force: %s", error)  # no trace
            return False
        return True

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_size)
