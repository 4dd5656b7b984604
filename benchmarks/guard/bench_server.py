"""What share of a server's work is left to the application when the guard stands before it?

Two uvicorn processes (uvloop, httptools) serve the tasks API: one bare, with a middleware that says who acts, one
guarded with everything its policy asks for, accounts and SQLite included. They answer the same requests in turn,
one at a time over one connection; what counts is the processor time of each process, threads included, as Linux
tells it. Not measured: latency under load, a remote store.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import msgspec

from benchmarks.figure import Figure, figure

__all__ = ["figures"]

_ROOT = Path(__file__).parents[2]
_POLICY = _ROOT / "examples" / "tasks" / "garrison.toml"
_REQUESTS = 500
_ROUNDS = 9
_TASKS = 20
"""How many the list has: one page of the API's usual size."""

_PATIENCE = 20.0
"""Seconds that a server may take to start."""

_PASSWORD = "correct horse battery staple of the benchmark"


class _Server:
    """One uvicorn process, and one connection to it."""

    def __init__(self, app: str, folder: Path, policy: Path) -> None:
        # A socket handed over by number would be served without TCP_NODELAY, 40 ms a request.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]),
            "GARRISON_ENV": "development",
            "TASKS_POLICY": str(policy),
            "TASKS_DB": str(folder / "tasks.db"),
        }
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(self._port), "--loop", "uvloop"]
        command += ["--http", "httptools", "--no-access-log", "--no-proxy-headers", "--log-level", "warning"]
        command += ["--timeout-keep-alive", "600"]
        self._process = subprocess.Popen(command, cwd=folder, env=environment)
        self._connection = self._connected()

    def _connected(self) -> socket.socket:
        until = monotonic() + _PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
            except OSError:
                if monotonic() > until or self._process.poll() is not None:
                    raise
                sleep(0.05)

    def ask(self, method: str, path: str, credential: str = "", body: object = None) -> Any:
        """Send one request and give what came back, which must be a success."""
        self._connection.sendall(_written(method, path, credential, body))
        return msgspec.json.decode(self._answer())

    def turn(self, request: bytes) -> float:
        """Send the same request many times; gives microseconds of processor time for each."""
        before = self._spent()
        for _ in range(_REQUESTS):
            self._connection.sendall(request)
            self._answer()
        return (self._spent() - before) / _REQUESTS / 1_000

    def _answer(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._connection.recv(65_536) or _gone()
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 20"), received
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._connection.recv(65_536) or _gone()
        return body

    def _spent(self) -> int:
        """Nanoseconds that the process's threads have run."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.wait(_PATIENCE)


def figures() -> list[Figure]:
    """Compare the processor time of one `GET /api/tasks`."""
    with TemporaryDirectory() as name, ExitStack() as open_servers:
        folder = Path(name)
        # The limit must not refuse what is measured; it is counted all the same.
        policy = folder / "garrison.toml"
        policy.write_text(_POLICY.read_text().replace("50/s burst 500", "1000000/s burst 1000000"))
        bare = open_servers.enter_context(_serving("benchmarks.guard.tasks_bare:app", folder / "bare", policy))
        guarded = open_servers.enter_context(_serving("examples.tasks.main:app", folder / "guarded", policy))
        token = _account(guarded)
        key = guarded.ask(
            "POST", "/api/keys", f"Authorization: Bearer {token}", {"name": "bench", "scopes": ["tasks:read"]}
        )["key"]
        by_key, by_token = f"X-API-Key: {key}", f"Authorization: Bearer {token}"
        for number in range(_TASKS):
            for server, credential in ((bare, ""), (guarded, by_token)):
                server.ask("POST", "/api/tasks", credential, {"title": f"task {number}"})
        plain, with_key, with_token = _compared(
            (bare, _written("GET", "/api/tasks", by_key)),
            (guarded, _written("GET", "/api/tasks", by_key)),
            (guarded, _written("GET", "/api/tasks", by_token)),
        )
    name = "server CPU of GET /api/tasks, bare against guarded"
    return [
        figure(f"{name}, API key", plain, with_key, bar=0.75, least=True),
        figure(f"{name}, HS256 token", plain, with_token, bar=0.75, least=True),
    ]


@contextmanager
def _serving(app: str, folder: Path, policy: Path) -> Iterator[_Server]:
    folder.mkdir()
    server = _Server(app, folder, policy)
    try:
        yield server
    finally:
        server.close()


def _account(server: _Server) -> str:
    """Register somebody, and give the access token."""
    told = server.ask(
        "POST",
        "/api/auth/register",
        body={"username": "bench", "email": "bench@tasks.example", "password": _PASSWORD},
    )
    return str(told["token"])


def _compared(*works: tuple[_Server, bytes]) -> list[float]:
    """Give every server its turn, several times; medians."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for (server, request), spent in zip(works, times, strict=True):
            spent.append(server.turn(request))
    return [median(spent) for spent in times]


def _written(method: str, path: str, credential: str = "", body: object = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", "User-Agent: bench"]
    lines += [credential] if credential else []
    content = b"" if body is None else msgspec.json.encode(body)
    lines += [] if body is None else ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _gone() -> bytes:
    msg = "the server closed the connection"
    raise ConnectionError(msg)
