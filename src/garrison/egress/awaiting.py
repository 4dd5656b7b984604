"""The way out for a loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from socket import SOCK_STREAM
from typing import TYPE_CHECKING, TypeAlias

from garrison.egress.answer import Answer, question
from garrison.errors import StoreError

if TYPE_CHECKING:
    from garrison.egress.rules import Rules, Target
    from garrison.model.http.fetch import Fetched

__all__ = ["AwaitingFetch", "Resolve"]

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a name."""

_PIECE = 1 << 16


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class AwaitingFetch:
    """Fetches while the loop goes on; all who want one address at the same time share one request."""

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
        self._flights: dict[tuple[int, str], asyncio.Task[Fetched]] = {}

    async def __call__(self, url: str) -> Fetched:
        """Fetch with GET.

        Raises:
            StoreError: It may not be fetched, or could not be.
        """
        target = self._rules.target(url)
        name = id(asyncio.get_running_loop()), url
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = asyncio.create_task(self._bounded(target))
            flight.add_done_callback(lambda done: self._landed(name, done))
        # Shielded: whoever gives up must not take the answer from the others.
        return await asyncio.shield(flight)

    def _landed(self, name: tuple[int, str], flight: asyncio.Task[Fetched]) -> None:
        del self._flights[name]
        if not flight.cancelled():
            flight.exception()  # seen, also when everybody who waited for it has given up

    async def _bounded(self, target: Target) -> Fetched:
        try:
            async with asyncio.timeout(self._rules.time / 1_000_000):
                addresses = self._rules.permitted(target, await self._resolve(target.host, target.port))
                return await self._exchange(target, *await self._connected(target, addresses))
        except (OSError, UnicodeError) as error:  # TimeoutError, ssl.SSLError and gaierror are OSErrors
            msg = f"{target.host} could not be fetched"
            raise StoreError(msg) from error

    async def _connected(
        self, target: Target, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address that answers: to the address, since the name could lead elsewhere now."""
        for address in addresses[:-1]:
            try:
                return await self._open(target, address)
            except OSError:
                continue
        return await self._open(target, addresses[-1])

    async def _open(self, target: Target, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not target.secure:
            return await asyncio.open_connection(address, target.port)
        # The certificate is checked against the name.
        return await asyncio.open_connection(address, target.port, ssl=self._tls, server_hostname=target.host)

    async def _exchange(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Fetched:
        try:
            writer.write(question(target))
            answer = Answer(self._rules.size)
            while not answer.done:
                answer.feed(await reader.read(_PIECE))
            return answer.fetched()
        finally:
            # Not closed politely: a server that does not close its side would hold us beyond the deadline.
            writer.transport.abort()
