"""PostgreSQL, Valkey, three guarded workers of the tasks API and nginx in front, all on loopback.

`with Cluster(folder, ports) as cluster:` runs it; `cluster.workers[0].kill()` ends one worker without warning,
`cluster.records.pause()` holds the database still. What it keeps is below its folder, and a second start finds it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from secrets import randbelow
from signal import SIGINT
from types import TracebackType
from typing import Self

import redis

from tools.cluster import database, files, programs
from tools.cluster.part import ClusterError, Part, Program

__all__ = ["PORTS", "ROOT", "Cluster", "free_ports"]

ROOT = Path(__file__).parents[2]
"""The checkout: `examples` is imported from here."""

PORTS = 6
"""How many ports a cluster takes: the front's, three workers', PostgreSQL's, Valkey's."""

_FOLDERS = ("log", "nginx", "valkey")


def free_ports() -> tuple[int, ...]:
    """Find ports in a row that nobody listens on, below those that the kernel gives to connections."""
    while True:
        first = 10_000 + randbelow(20_000)
        ports = tuple(range(first, first + PORTS))
        with suppress(OSError), ExitStack() as stack:
            for port in ports:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return ports


class Cluster:
    """The parts by name, each of which can be killed, held still and begun again by itself."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        """Describe it; nothing runs and nothing is written yet.

        Args:
            folder: Keeps all of it.
            ports: `PORTS` of them: the front's, the workers', PostgreSQL's, Valkey's.

        Raises:
            ClusterError: A program is missing.
        """
        programs.setpriv()
        self.folder = folder.absolute()
        self.policy = self.folder / "garrison.toml"
        self._held = ExitStack()
        front, *workers, records, counters = ports
        self.records = self._part("postgres", records, self._postgres(), self._records_answer)
        self.counters = self._part("valkey", counters, self._valkey(), self._counters_answer)
        self.workers = tuple(
            self._part(f"worker-{number}", port, self._worker(port), partial(_ready, port))
            for number, port in enumerate(workers, 1)
        )
        self.front = self._part("nginx", front, self._nginx(), partial(_ready, front))

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order in which they start."""
        return (self.records, self.counters, *self.workers, self.front)

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which `garrison` works on this cluster."""
        return {
            "GARRISON_ENV": "staging",
            "TASKS_POLICY": str(self.policy),
            "TASKS_DB": f"postgresql://tasks@127.0.0.1:{self.records.port}/tasks",
            "TASKS_DB_PASSWORD_FILE": str(self.folder / "secrets" / "tasks"),
        }

    def start(self) -> None:
        """Start all parts and wait until each answers; what was started is ended when one does not.

        Raises:
            ClusterError: A part does not start, a port is taken, or a cluster runs on this folder.
        """
        try:
            self._prepare()
            self.records.start()
            for name in ("garrison", "tasks"):
                database.make_database(self.records.port, self._secret("operator"), name, self._secret(name))
            self.counters.start()
            for worker in self.workers:
                worker.begin()
            for worker in self.workers:
                worker.wait()
            self.front.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all parts in good order, the last one first."""
        for part in reversed(self.parts):
            part.stop()
        self._held.close()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    def garrison(self, *words: str) -> str:
        """Run a command of `garrison` on this cluster; gives what it printed.

        Raises:
            ClusterError: It failed; with what it said.
        """
        command = [sys.executable, "-m", "garrison", *words, "--policy", str(self.policy)]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(done.stderr.strip())
        return done.stdout.strip()

    def _part(self, name: str, port: int, program: Program, answers: Callable[[], bool]) -> Part:
        return Part(name, port, program, self.folder / "log" / f"{name}.log", answers)

    def _secret(self, name: str) -> str:
        return files.secret(self.folder / "secrets", name)

    def _postgres(self) -> Program:
        command = [programs.postgres(), "-D", str(self.folder / "postgres" / "data")]
        return Program(command, ending=SIGINT, account=programs.postgres_account())

    def _valkey(self) -> Program:
        return Program([programs.valkey(), str(self.folder / "valkey" / "valkey.conf")])

    def _worker(self, port: int) -> Program:
        serve = [sys.executable, "-m", "garrison", "serve", "examples.tasks.main:app", "--port", str(port)]
        return Program(serve, self.environment, folder=ROOT)

    def _nginx(self) -> Program:
        return Program([programs.nginx(), "-e", "stderr", "-c", str(self.folder / "nginx" / "nginx.conf")])

    def _records_answer(self) -> bool:
        return database.answers(self.records.port, self._secret("operator"))

    def _counters_answer(self) -> bool:
        password = self._secret("counters")
        with redis.Redis(port=self.counters.port, username="garrison", password=password) as server:
            try:
                return bool(server.ping())
            except redis.RedisError:
                return False

    def _prepare(self) -> None:
        """Take the folder and the ports, and write what the parts read."""
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._take_folder()
        for part in self.parts:
            _check_free(part)
        for name in _FOLDERS:
            (self.folder / name).mkdir(mode=0o711, exist_ok=True)
        self._secret("root")
        database.make_files(self.folder / "postgres", self.records.port, self._secret("operator"))
        self._write()

    def _take_folder(self) -> None:
        lock = self._held.enter_context((self.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"a cluster runs on {self.folder} already"
            raise ClusterError(msg) from None

    def _write(self) -> None:
        secrets, valkey, nginx = (self.folder / name for name in ("secrets", "valkey", "nginx"))
        example = (ROOT / "examples" / "tasks" / "garrison.toml").read_text("utf-8")
        ports = [worker.port for worker in self.workers]
        servers = {"records": self.records.port, "counters": self.counters.port}
        self.policy.write_text(files.policy(example, secrets, workers=len(ports), **servers), "utf-8")
        settings = files.server_of_counters(self.counters.port, valkey, self._secret("counters"))
        (valkey / "valkey.conf").write_text(settings, "utf-8")
        (nginx / "nginx.conf").write_text(files.proxy(self.front.port, nginx, ports), "utf-8")


def _check_free(part: Part) -> None:
    try:
        socket.create_server(("127.0.0.1", part.port)).close()
    except OSError as error:
        msg = f"port {part.port}, for {part.name}, is taken: {error.strerror}; PORT=… begins elsewhere"
        raise ClusterError(msg) from error


def _ready(port: int) -> bool:
    """Tell whether a worker, or the front through one, is ready: one question, which waits while it starts."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
