"""Records of the tests' own, apart from those of the developer's running server."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from garrison.runtime.process.state import STATE

__all__ = ["own_state"]


def own_state() -> Path:
    """Let every guard that is made from now on keep its state in a new folder, which goes with the process.

    For `conftest.py`, above every import of the application. The tests then neither read nor write what is under
    `var/`, and run beside `garrison serve` and beside each other in several processes. Only relative paths, and only
    in development; a store with an absolute path, and an application's own files, stay where they are.

    Returns:
        The folder.
    """
    folder = Path(mkdtemp(prefix="garrison-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    os.environ[STATE] = str(folder)
    return folder
