"""The server: uvicorn on a socket of our own, ended by Ctrl-C without a trace, told of a new policy by SIGHUP."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import uvicorn

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["BACKLOG", "GRACE", "IDLE", "Lifetime", "listen", "serve"]

BACKLOG = 2_048
"""Connections that wait to be taken."""

IDLE = 5
"""Seconds that a connection may be idle between two requests."""

GRACE = 5
"""Seconds that open answers are given to end after Ctrl-C; a second Ctrl-C gives them none."""

_log = logging.getLogger("garrison.serve")


class Lifetime(NamedTuple):
    """What is done while a server lives."""

    ready: Callable[[], None]
    """Called once connections are taken."""

    reload: Callable[[], object]
    """Called in a thread when SIGHUP says that the policy changed."""

    drain: float
    """Seconds that it goes on after SIGTERM."""

    draining: Callable[[], bool]
    """Called when it is told to end; says whether for the first time."""


def listen(host: str, port: int, *, shared: bool = False, taking: bool = True) -> socket.socket:
    """Take the address before anything else is done, so that nothing is made for a server that cannot start.

    Args:
        host: Name or address.
        port: 0: any free one.
        shared: Whether other processes of this user may listen there as well; each gets its share of connections.
        taking: Whether connections are taken from now on; else the address is only kept.

    Raises:
        UsageError: It is taken, not ours to take, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            trial.bind(address)
            # Whoever calls from now on waits until the server is up; without it, another process could listen here.
            if taking:
                trial.listen(BACKLOG)
            return trial.dup()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"{host}:{port} cannot be listened on ({reason}); choose another with --host and --port"
        raise UsageError(msg) from None


def serve(
    app: Any,
    listener: socket.socket,
    http: type[asyncio.Protocol],
    *,
    message: int,
    lifetime: Lifetime,
) -> None:
    """Serve until the process is told to end.

    Args:
        app: ASGI.
        listener: From `listen`.
        http: Reads the requests of one connection, from `wire`.
        message: Bytes of the largest message that a WebSocket takes together.
        lifetime: What is done on the way.
    """
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=http,
        loop="auto",
        # The guard decides whom to believe about addresses; a server that rewrites them would take that from it.
        proxy_headers=False,
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
        ws_max_size=message,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends in good order and then raises the signal again for whoever was listening before.
        signal.signal(number, _ended)
    try:
        _Server(config, lifetime).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _ended(number: int, frame: object) -> None:
    raise KeyboardInterrupt


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, lifetime: Lifetime) -> None:
        super().__init__(config)
        self._ready, self._reload, self._drain, self._draining = lifetime
        self._loop: asyncio.AbstractEventLoop | None = None
        self._terminal = _has_terminal()
        self._shown_on = [output for output in (1, 2) if os.isatty(output)]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; after SIGTERM not before whoever sends requests here has had the time to send them elsewhere."""
        first = self._draining()
        if sig == signal.SIGTERM and first and self._drain > 0 and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hung_up)
        await super().startup(sockets)
        if self.started:
            self._ready()

    def _hung_up(self) -> None:
        """Take the new policy; or end, when it was the terminal that hung up and nobody could stop us any more."""
        if self._terminal and not _has_terminal():
            _write_nowhere(self._shown_on)
            self.should_exit = True
            return
        _log.info("SIGHUP: reading the policy again")
        threading.Thread(target=self._reload, name="garrison-reload", daemon=True).start()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _write_nowhere(outputs: list[int]) -> None:
    """Point outputs away from a terminal that is gone: writing to it would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        os.dup2(nowhere, output)
    os.close(nowhere)
