"""A server we ask never stops answering, or answers one byte at a time."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import repeat
from select import select

import pytest

from garrison.egress import AwaitingFetch, BlockingFetch, Rules
from garrison.errors import StoreError
from garrison.guard.drive import drive
from tests.egress.server import HOST, serving, trust

SHORT = 400_000
"""Microseconds a whole fetch may take here."""

Answer = Callable[[socket.socket], None]


def fetch(kind: str, port: int, time: int = 5_000_000, size: int = 10_000) -> None:
    rules = Rules(hosts=(f"{HOST}:{port}",), private=("127.0.0.0/8",), time=time, size=size)
    url = f"https://{HOST}:{port}/"
    if kind == "blocking":
        drive(BlockingFetch(rules, tls=trust(), resolve=lambda _host, _port: ["127.0.0.1"])(url))
        return

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    asyncio.run(AwaitingFetch(rules, tls=trust(), resolve=resolve)(url))


@pytest.fixture(params=["blocking", "awaiting"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def forever(beginning: bytes, piece: bytes) -> Answer:
    """Send until the other side has had enough."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(piece)

    return answer


def drip(connection: socket.socket, data: Iterable[int]) -> None:
    """A byte now and then, at the attacker's own pace: each read succeeds, the whole never ends."""
    for byte in data:
        connection.sendall(bytes([byte]))
        select([], [], [], 0.02)


def dripping(beginning: bytes) -> Answer:
    """Begin well, then drip."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(beginning)
        drip(connection, repeat(ord("a")))

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"a" * 1024 + b"\r\n"),
        forever(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"a" * 4096),
        forever(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"a" * 4096 + b"\r\n"),
        forever(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 4096),
    ],
    ids=["chunks", "length", "fields", "one field"],
)
def test_an_answer_without_end_is_cut_off_by_size(kind: str, answer: Answer) -> None:
    """Long before the time is up."""
    with serving(answer) as server, pytest.raises(StoreError, match="too large"):
        fetch(kind, server.port)


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ],
    ids=["body", "head", "status line"],
)
def test_an_answer_that_drips_is_cut_off_by_time(kind: str, beginning: bytes) -> None:
    """The cap is on the whole, not on each read; `HTTP` cannot begin with an `a`, which is refused even sooner."""
    with serving(dripping(beginning)) as server, pytest.raises(StoreError):
        fetch(kind, server.port, time=SHORT)


def test_a_handshake_that_drips_is_cut_off_by_time(kind: str) -> None:
    """Before TLS stands no cap of HTTP counts: here the server's hello comes a byte at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            drip(connection, b"\x16\x03\x03\x40\x00" + bytes(16384))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    with listener, pytest.raises(StoreError, match="could not be fetched"):
        fetch(kind, listener.getsockname()[1], time=SHORT)
    thread.join(5)
