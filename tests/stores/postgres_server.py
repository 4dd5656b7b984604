"""A PostgreSQL of the tests' own: started at first use, in its own folder, on a Unix socket, stopped at the end."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals

import psycopg

__all__ = ["PostgresServer", "postgres"]

_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
shared_buffers = 32MB
fsync = {fsync}
log_min_messages = fatal
"""


class PostgresServer:
    """One server; its databases are made as they are asked for."""

    def __init__(self, *, fsync: bool = False) -> None:
        """Make its files and start it; PostgreSQL refuses to run as root, so that root hands it to `postgres`."""
        self._folder = Path(tempfile.mkdtemp(prefix="garrison-pg-"))
        self._data = self._folder / "data"
        self._numbers = count(1)
        if os.getuid() == 0:
            shutil.chown(self._folder, "postgres")
        self._run("initdb", "-D", self._data, "-U", "garrison", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        settings = _SETTINGS.format(folder=self._folder, fsync="on" if fsync else "off")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(settings)
        self.start()
        atexit.register(self.end)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run("pg_ctl", "-D", self._data, "-l", self._folder / "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if its power was cut."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def pause(self) -> None:
        """Hold it and all below it still: connections stay, and nothing is said on them any more."""
        self._signal(SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(SIGCONT)

    def _signal(self, number: Signals) -> None:
        process = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for each in (process, *map(int, children)):
            os.kill(each, number)

    def end(self) -> None:
        """Stop it for good."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """Make an empty database; gives its URL."""
        name = f"d{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self._folder}&user=garrison"

    def _run(self, program: str, *words: object) -> None:
        found = shutil.which(program) or str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))
        as_whom = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*as_whom, found, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd=self._folder)


@cache
def postgres() -> PostgresServer:
    """Give the one server of this run."""
    return PostgresServer()
