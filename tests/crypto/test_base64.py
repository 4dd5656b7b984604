"""Strict base64url: one text for one value."""

from __future__ import annotations

import contextlib
from base64 import urlsafe_b64encode
from binascii import a2b_base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto import base64

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def plain(text: bytes) -> bytes | None:
    """The slow way: binascii's strict mode, and the result must encode to the same text again."""
    if set(text) - set(ALPHABET.encode()):
        return None
    try:
        value = a2b_base64(text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return None
    return value if urlsafe_b64encode(value).rstrip(b"=") == text else None


@given(st.binary(max_size=300))
def test_what_was_encoded_is_decoded_again(value: bytes) -> None:
    """And the text is the one the standard library writes, without padding."""
    text = base64.encode(value)

    assert base64.decode(text) == base64.decode(text.encode()) == value
    assert text.encode() == urlsafe_b64encode(value).rstrip(b"=")


@given(st.binary(max_size=12) | st.text(ALPHABET + '="\\u+/ \n', max_size=12).map(str.encode))
def test_agrees_with_the_slow_way(text: bytes) -> None:
    """Everything else is refused, and nothing more."""
    assert base64.decode(text) == plain(text)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_agrees_with_the_slow_way_on_every_short_text(length: int) -> None:
    """All 65,793 texts of at most two bytes."""
    texts = [bytes(divmod(number, 256)[2 - length :]) for number in range(256**length)]

    assert [base64.decode(text) for text in texts] == [plain(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    ["QQ==", "QQ=", "QR", "Q", "QUI=", "QUJ", "Q Q", "QQ\n", "Q+", "Q/", "\\u0051Q", 'Q"', "é", "QÉ", "ＱＱ", "Q\x00"],
)
def test_other_texts_of_one_value_are_refused(text: str) -> None:
    """Padding, unused bits, white space, the standard alphabet, escapes, wide letters."""
    assert base64.decode(text) is None


@given(st.binary(max_size=300))
def test_what_we_wrote_ourselves_is_reread(value: bytes) -> None:
    """Without the checks, and with the same result."""
    assert base64.reread(base64.written(value)) == value
    assert base64.written(value) == base64.encode(value).encode()


@given(st.binary(max_size=12) | st.text(ALPHABET + '="\\u+/ \n', max_size=12).map(str.encode))
def test_rereading_anything_else_gives_bytes_or_one_error(text: bytes) -> None:
    """It is not strict, but nothing else ever escapes it."""
    with contextlib.suppress(ValueError):
        assert isinstance(base64.reread(text), bytes)
