"""The server: uvicorn on a socket of our own, ended by Ctrl-C without a trace, told of a new policy by SIGHUP."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import uvicorn

from garrison.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BACKLOG", "GRACE", "IDLE", "listen", "serve"]

BACKLOG = 2_048
"""Connections that wait to be taken."""

IDLE = 5
"""Seconds that a connection may be idle between two requests."""

GRACE = 5
"""Seconds that open answers are given to end after Ctrl-C; a second Ctrl-C gives them none."""

_log = logging.getLogger("garrison.serve")


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else is done, so that nothing is made for a server that cannot start.

    Raises:
        UsageError: It is taken, not ours to take, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            # Whoever calls from now on waits until the server is up; without it, another process could listen here.
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
    ready: Callable[[], None],
    reload: Callable[[], object],
) -> None:
    """Serve until the process is told to end.

    Args:
        app: ASGI.
        listener: From `listen`.
        http: Reads the requests of one connection, from `wire`.
        message: Bytes of the largest message that a WebSocket takes together.
        ready: Called once connections are taken.
        reload: Called in a thread when SIGHUP says that the policy changed.
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
        _Server(config, ready, reload).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _ended(number: int, frame: object) -> None:
    raise KeyboardInterrupt


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], reload: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready
        self._reload = reload
        self._terminal = _has_terminal()
        self._shown_on = [output for output in (1, 2) if os.isatty(output)]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
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
