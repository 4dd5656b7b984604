"""The way out for threads: a coroutine that never suspends, since everything in it blocks.

TLS runs over memory buffers, so that every single read has what is left of the whole time, and a server that
sends one byte at a time, even within the handshake, holds nobody longer.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from garrison.egress.answer import Answer, question
from garrison.errors import StoreError

if TYPE_CHECKING:
    from garrison.egress.rules import Rules, Target
    from garrison.model.http.fetch import Fetched

__all__ = ["BlockingFetch", "Resolve"]

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a name. The system's resolver has a time limit of its own."""

_PIECE = 1 << 16


def _resolve(host: str, port: int) -> Sequence[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class BlockingFetch:
    """Fetches while its thread waits; all threads that want one address at the same time share one request."""

    def __init__(self, rules: Rules, *, tls: ssl.SSLContext | None = None, resolve: Resolve = _resolve) -> None:
        """Take the rules.

        Args:
            rules: Where to, and how much.
            tls: Another trust than the system's.
            resolve: Another way to look up names, for tests.
        """
        self._rules = rules
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve
        self._lock = Lock()
        self._flights: dict[str, Future[Fetched]] = {}

    async def __call__(self, url: str) -> Fetched:
        """Fetch with GET; blocks the thread, never suspends.

        Raises:
            StoreError: It may not be fetched, or could not be.
        """
        target = self._rules.target(url)
        with self._lock:
            flight = self._flights.get(url)
            mine = flight is None
            if flight is None:
                flight = self._flights[url] = Future()
        if mine:
            self._fly(target, url, flight)
        return flight.result()

    def _fly(self, target: Target, url: str, flight: Future[Fetched]) -> None:
        try:
            flight.set_result(self._bounded(target))
        except BaseException as error:  # whatever it is, those who wait for it must learn of it
            flight.set_exception(error)
        finally:
            with self._lock:
                del self._flights[url]

    def _bounded(self, target: Target) -> Fetched:
        deadline = monotonic() + self._rules.time / 1_000_000
        try:
            addresses = self._rules.permitted(target, self._resolve(target.host, target.port))
            with _connected(target, addresses, deadline) as sock:
                wire = _Wire(sock, self._tls if target.secure else None, target.host, deadline)
                wire.send(question(target))
                answer = Answer(self._rules.size)
                while not answer.done:
                    answer.feed(wire.receive())
                return answer.fetched()
        except (OSError, UnicodeError) as error:  # TimeoutError, ssl.SSLError and gaierror are OSErrors
            msg = f"{target.host} could not be fetched"
            raise StoreError(msg) from error


def _connected(target: Target, addresses: Sequence[str], deadline: float) -> socket.socket:
    """Connect to the first address that answers: to the address, since the name could lead elsewhere now."""
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, target.port), _left(deadline))
        except OSError:
            continue
    return socket.create_connection((addresses[-1], target.port), _left(deadline))


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        msg = "it took too long"
        raise TimeoutError(msg)
    return left


class _Wire:
    """A connection on which every read and write has what is left of the time."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None, host: str, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        # The certificate is checked against the name.
        self._tls = None if tls is None else tls.wrap_bio(self._in, self._out, server_hostname=host)
        if self._tls is not None:
            self._until_done(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        if self._tls is None:
            self._push(data)
        else:
            self._tls.write(data)
            self._push(self._out.read())

    def receive(self) -> bytes:
        if self._tls is None:
            return self._pull()
        tls = self._tls
        return self._until_done(lambda: tls.read(_PIECE))

    def _until_done(self, act: Callable[[], bytes | None]) -> bytes:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._push(self._out.read())
                data = self._pull()
                self._in.write(data) if data else self._in.write_eof()
            else:
                self._push(self._out.read())
                return result or b""

    def _push(self, data: bytes) -> None:
        if data:
            self._sock.settimeout(_left(self._deadline))
            self._sock.sendall(data)

    def _pull(self) -> bytes:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv(_PIECE)
