"""A server on loopback that answers whatever a test wants, also what no honest server would."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "keys.example.com"

Answer = Callable[[socket.socket], None]


class Server:
    """What a test gets: where it listens, and what was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[bytes] = []
        self.threads: list[threading.Thread] = []


@cache
def _certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate for HOST and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, clear = serialization.Encoding.PEM, serialization.NoEncryption()
    return certificate.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear)


def trust() -> ssl.SSLContext:
    """What a caller needs to believe the server."""
    return ssl.create_default_context(cadata=_certificate()[0].decode())


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(b"".join(_certificate()))
        context.load_cert_chain(file)
    return context


@contextmanager
def serving(answer: Answer, *, tls: bool = True) -> Iterator[Server]:
    """Answer every connection with `answer(connection)`, after the request's head was read."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    context = _tls() if tls else None
    accepting = threading.Thread(target=_accept, args=(listener, context, answer, server), daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *server.threads):
            thread.join(5)


def _accept(listener: socket.socket, context: ssl.SSLContext | None, answer: Answer, server: Server) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            thread = threading.Thread(target=_one, args=(connection, context, answer, server), daemon=True)
            server.threads.append(thread)
            thread.start()


def _one(plain: socket.socket, context: ssl.SSLContext | None, answer: Answer, server: Server) -> None:
    with suppress(OSError), plain:
        plain.settimeout(10)
        with plain if context is None else context.wrap_socket(plain, server_side=True) as connection:
            asked = b""
            while b"\r\n\r\n" not in asked and (piece := connection.recv(4096)):
                asked += piece
            server.asked.append(asked)
            answer(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()


def saying(raw: bytes) -> Answer:
    """Answer with these bytes."""
    return lambda connection: connection.sendall(raw)


def body(text: bytes, head: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """An honest answer."""
    return head + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text
