"""How an answer is read, piece by piece, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.egress.answer import HEAD_BYTES, Answer, question
from garrison.egress.rules import Target
from garrison.errors import StoreError
from garrison.model.http.fetch import Fetched

HONEST = b"HTTP/1.1 200 OK\r\nETag: x\r\nVia: a\r\nVia: b\r\nContent-Length: 2\r\n\r\n{}"


def read(raw: bytes, piece: int = 1 << 16, size: int = 1000) -> Fetched:
    """Everything at once or in pieces, then the end."""
    answer = Answer(size)
    for start in range(0, len(raw), piece):
        if not answer.done:
            answer.feed(raw[start : start + piece])
    if not answer.done:
        answer.feed(b"")
    return answer.fetched()


@given(st.integers(1, len(HONEST)))
def test_pieces_make_no_difference(piece: int) -> None:
    """Whatever the network does."""
    assert read(HONEST, piece) == Fetched(200, {"etag": "x", "via": "a, b", "content-length": "2"}, b"{}")


def test_chunks_are_put_together() -> None:
    """RFC 9112 section 7.1."""
    raw = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"

    assert read(raw, 3) == Fetched(404, {"transfer-encoding": "chunked"}, b"abc")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"a" * 1001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * HEAD_BYTES,
        b"\xff" * 100,
    ],
)
@pytest.mark.parametrize("piece", [1, 100, 1 << 16])
def test_what_is_cut_vague_large_or_elsewhere_is_refused(raw: bytes, piece: int) -> None:
    """With one error, in whatever pieces it comes."""
    with pytest.raises(StoreError):
        read(raw, piece)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_garbage_raises_nothing_else(raw: bytes, piece: int) -> None:
    """After an honest beginning too."""
    for start in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            assert read(start + raw, piece).status >= 200
        except StoreError:
            continue


def test_the_question_names_the_host_and_wants_nothing_packed() -> None:
    """A port only when it is not the usual one."""
    usual = question(Target(secure=True, host="a.example", port=443, path="/x?y"))
    other = question(Target(secure=True, host="a.example", port=8443, path="/"))

    assert usual.startswith(b"GET /x?y HTTP/1.1\r\nHost: a.example\r\n")
    assert b"Host: a.example:8443\r\n" in other
    assert b"Accept-Encoding: identity\r\n" in usual
    assert usual.endswith(b"\r\n\r\n")
