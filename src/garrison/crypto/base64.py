"""Strict base64url without padding: one text for one value, and every other text refused.

Lenient decoders drop characters they do not know and ignore unused bits, so that many texts mean one
token, and a deny list, cache or log that compares texts is deceived.

Sources: RFC 7515 section 2 and appendix C; RFC 4648 sections 3.5 and 12.
"""

from __future__ import annotations

from msgspec.json import Decoder, Encoder

__all__ = ["decode", "encode", "reread", "written"]

# The codec is that of msgspec's JSON strings: half the time of binascii's strict mode, and a test holds the
# two equal. A character outside the alphabet becomes 0xff, which no JSON string may hold; so no quotation
# mark, escape, `=`, `+` or `/` of a sender ever reaches it.
_read = Decoder(bytes).decode
_write = Encoder().encode
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_STANDARD = bytes({45: 43, 95: 47}.get(byte, byte) if byte in _ALPHABET else 255 for byte in range(256))
_TO_URL = bytes.maketrans(b"+/", b"-_")

_ENDS = (b'"', None, b'=="', b'="')
"""Padding and closing quotation mark, by length modulo 4; a rest of 1 is no base64."""

_CLOSED = (b'"', b'"', b'=="', b'="')

_LAST = (frozenset(range(256)), frozenset[int](), frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))
"""What a text may end with, by length modulo 4: the unused bits (4 of a rest of 2, 2 of 3) are zero."""


def encode(value: bytes) -> str:
    """Write bytes as base64url without padding."""
    return written(value).decode("ascii")


def written(value: bytes) -> bytes:
    """Write bytes as base64url without padding, as ASCII bytes."""
    return _write(value).translate(_TO_URL, b'"=')


def decode(text: str | bytes) -> bytes | None:
    """Read base64url without padding.

    Returns:
        None for anything but the one text that `encode` writes: another character, `=`, white space, a
        length no value has, or unused bits that are not zero.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        rest = len(raw) & 3
        end = _ENDS[rest]
        if end is None or (rest and raw[-1] not in _LAST[rest]):
            return None
        return _read(b'"' + raw.translate(_TO_STANDARD) + end)
    except ValueError:  # of msgspec, and of text beyond ASCII
        return None


def reread(text: bytes) -> bytes:
    """Read base64url that `encode` is known to have written, since a signature of our own over it was right.

    Not strict: that costs half as much again, and there is nobody left to be strict with.

    Raises:
        ValueError: It is no base64 all the same.
    """
    return _read(b'"' + text.replace(b"-", b"+").replace(b"_", b"/") + _CLOSED[len(text) & 3])
