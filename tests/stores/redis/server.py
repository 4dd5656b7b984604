"""A Redis server of the tests' own, on a socket in a temporary folder; keeps nothing."""

from __future__ import annotations

import shutil
from atexit import register
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory

__all__ = ["serving", "socket"]


@contextmanager
def serving(*options: str) -> Iterator[Path]:
    """Start one and stop it again; gives the path of its socket."""
    with TemporaryDirectory(prefix="garrison-redis-") as folder:
        path = Path(folder) / "s"
        command = [shutil.which("redis-server") or "redis-server", "--port", "0", "--unixsocket", str(path)]
        command += ["--save", "", "--appendonly", "no", "--dir", folder, *options]
        server = Popen(command, stdout=PIPE, stderr=DEVNULL, text=True)
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if "ready to accept connections" in line.lower():
                    break
            assert server.poll() is None, "redis-server ended at once; see tools/redis"
            yield path
        finally:
            server.terminate()
            server.communicate(timeout=10)


@cache
def socket() -> str:
    """Give the socket of the server that all tests of this process share."""
    running = serving()
    path = running.__enter__()
    register(running.__exit__, None, None, None)
    return str(path)
