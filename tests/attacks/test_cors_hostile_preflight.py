"""A preflight made to cost much, or to have the server write back what the attacker chose."""

from __future__ import annotations

import pytest

from garrison.cors import CorsPolicy, compile_cors
from garrison.cors.rules import LONGEST_ASK, MOST_ASKED

APP = b"https://app.example.com"
LISTING = compile_cors(CorsPolicy(origins=(APP.decode(),), methods=("PUT",), headers=("X-A", "X-B"), credentials=True))
ECHOING = compile_cors(CorsPolicy(origins=(APP.decode(),), methods=("*",), headers=("*",), credentials=True))

FLOODS = {
    "commas": b"," * 8_192,
    "names": b",".join(b"x-%05d" % number for number in range(1_024)),
    "spaces": b"x-a" + b" " * 8_192,
    "a megabyte": b"," * 1_048_576,
    "just too many": b"x-a," * MOST_ASKED,
    "just too long": b"x-a," + b"b" * (LONGEST_ASK - 3),
}


@pytest.mark.parametrize("cors", [LISTING, ECHOING], ids=["listing", "echoing"])
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_is_refused_and_not_written_back(cors: object, flood: bytes) -> None:
    """Neither amplified nor remembered."""
    assert isinstance(cors, type(LISTING))

    answer = cors.preflight(APP, b"PUT", flood)

    assert answer.status == 403
    assert sum(len(name) + len(value) for name, value in answer.headers) < 256
    assert not any(flood in key for key in cors._preflights)


def test_the_echo_is_bounded() -> None:
    """The longest list that is granted comes back at most twice as long: a space follows each comma."""
    asked = b",".join(b"x%014d" % number for number in range(MOST_ASKED))
    assert len(asked) <= LONGEST_ASK

    answer = ECHOING.preflight(APP, b"PUT", asked)

    assert answer.status == 204
    assert len(dict(answer.headers)[b"access-control-allow-headers"]) <= 2 * LONGEST_ASK


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        *((method, None) for method in (b"PUT\r\nX-Evil: 1", b"PUT\x00", b"GET, X-EVIL", b"<script>", b"P\xdcT", b"")),
        *((b"PUT", b"x-a," + name) for name in (b"x\r\nx-evil: 1", b"x\x00", b"x evil", b"<script>", b"\xdc", b"x:y")),
    ],
)
def test_no_control_byte_comes_back(method: bytes, asked: bytes | None) -> None:
    """Response splitting through an echoed method or field name."""
    answer = ECHOING.preflight(APP, method, asked)

    assert answer.status == 403
    assert all(part.isascii() and part.decode().isprintable() for line in answer.headers for part in line)


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        (b"PUT", b"x-evil"),
        (b"PUT", b"x-a,x-evil"),
        (b"PUT", b"x-a-admin"),
        (b"PUT", b"*"),
        (b"DELETE", b"x-a"),
        (b"put", None),
    ],
)
def test_nothing_unlisted_slips_through(method: bytes, asked: bytes | None) -> None:
    """At the end of the list, as a longer name, in another case, as a star."""
    assert LISTING.preflight(APP, method, asked).status == 403
