"""What a token looks like before anybody asks what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto import base64
from garrison.crypto.jws import DEPTH, HEADER_BYTES, Header, read_header, seal_token, write_header
from garrison.crypto.key import secret_key
from garrison.errors import TokenError

KEY = secret_key(bytes(range(32)), kid="k1")


def segment(value: Any) -> bytes:
    return base64.encode(value if isinstance(value, bytes) else json.dumps(value).encode()).encode()


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else 1


def test_a_header_says_algorithm_key_and_kind() -> None:
    """Whatever else it says is not listened to, but it may say it."""
    assert read_header(segment({"alg": "HS256", "kid": "k", "typ": "AT+JWT"})) == Header("HS256", "k", "at+jwt")
    assert read_header(segment({"alg": "x", "typ": "application/at+jwt"})) == Header("x", None, "at+jwt")
    assert read_header(segment({"alg": "x", "x5t": "y", "jku": "https://evil.example", "jwk": {}})).typ == ""


def test_what_is_written_is_read() -> None:
    """A key without a name writes none."""
    assert read_header(write_header(KEY, "at+jwt")[:-1]) == Header("HS256", "k1", "at+jwt")
    assert read_header(write_header(secret_key(bytes(range(32))), "x+jwt")[:-1]) == Header("HS256", None, "x+jwt")


def test_a_sealed_token_has_three_parts_and_the_right_signature() -> None:
    """Header, payload, signature."""
    head, payload, signature = seal_token(KEY, write_header(KEY, "at+jwt"), b"{}").encode().split(b".")

    assert base64.decode(payload) == b"{}"
    assert KEY.check(head + b"." + payload, signature)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (segment({"alg": "HS256", "crit": ["exp"]}), "critical"),
        (segment({"alg": "HS256", "crit": []}), "critical"),
        (segment({"alg": "HS256", "crit": None}), "critical"),
        (segment({"alg": "HS256", "b64": False}), "critical"),
        (segment({"alg": "HS256", "b64": True}), "critical"),
        (segment({}), "header"),
        (segment({"alg": None}), "header"),
        (segment({"alg": ["HS256"]}), "header"),
        (segment({"alg": "HS256", "kid": ["k"]}), "header"),
        (segment({"alg": "HS256", "kid": {"k": 1}}), "header"),
        (segment({"alg": "HS256", "kid": 7}), "header"),
        (segment({"alg": "HS256", "kid": None}), "header"),
        (segment({"alg": "HS256", "kid": "k" * 257}), "header"),
        (segment({"alg": "HS256", "typ": 1}), "header"),
        (segment({"alg": "HS256", "typ": None}), "header"),
        (segment({"alg": "HS256", "typ": "t" * 257}), "header"),
        (segment([]), "header"),
        (segment("x"), "header"),
        (segment(b""), "header"),
        (segment(b'{"alg":"HS256","alg":"none"}'), "header"),
        (segment(b'{"alg":"HS256","\\u0061lg":"none"}'), "header"),
        (segment(b'\xef\xbb\xbf{"alg":"HS256"}'), "header"),
        (segment('{"alg":"HS256"}'.encode("utf-16")), "header"),
        (segment(b'{"alg":"HS256","x":NaN}'), "header"),
        (segment(b'{"alg":"HS256"} x'), "header"),
        (segment({"alg": "HS256", "x": nested(DEPTH)}), "header"),
        (segment(b'{"alg":"HS256","x":' + b"[" * 700), "header"),
        (b"", "header"),
        (segment({"alg": "HS256"}) + b"=", "header"),
        (b"e30 ", "header"),
        (b"{}", "header"),
        (segment({"alg": "HS256", "x": "y" * HEADER_BYTES}), "header"),
    ],
)
def test_a_header_of_another_kind_is_refused(raw: bytes, reason: str) -> None:
    """Extensions, wrong types, two readings, other alphabets, size and depth."""
    with pytest.raises(TokenError) as refusal:
        read_header(raw)

    assert refusal.value.reason == reason


def test_the_depth_that_fits_fits() -> None:
    """The bound from the other side."""
    assert read_header(segment({"alg": "HS256", "x": nested(DEPTH - 1)})).alg == "HS256"


@given(st.binary(max_size=60) | st.text('ABCabc019-_="{}', max_size=60).map(str.encode))
def test_no_header_raises_anything_else(raw: bytes) -> None:
    """As sent, and as the JSON inside."""
    for text in (raw, segment(raw)):
        try:
            assert isinstance(read_header(text).alg, str)
        except TokenError:
            continue
