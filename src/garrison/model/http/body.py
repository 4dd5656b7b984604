"""Decode a JSON body strictly: whatever two parsers could read in two ways is refused.

Refused: other encodings than UTF-8, a byte order mark, half surrogate pairs, `NaN` and `Infinity`, numbers
beyond every number or of more than `LONGEST_NUMBER` digits, a member name that stands twice, too many values,
too much nesting.

msgspec decodes and is strict about most of it. What it lets through is found by counting, so that the ordinary
small body pays for a few passes in C and no second parser.

Sources: RFC 8259 sections 4 to 8; RFC 7493 (I-JSON) sections 2.1 to 2.3.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from garrison.model.fit import Misfit
from garrison.model.http.refusal import Refusal, refuse

__all__ = ["LONGEST_NUMBER", "MOST_DEPTH", "MOST_FIELDS", "decode"]

MOST_DEPTH = 32
"""Brackets that may stand inside each other, where the policy does not say."""

MOST_FIELDS = 1_000
"""Members and elements of all levels together, where the policy does not say."""

LONGEST_NUMBER = 40
"""Digits in a row; a number of 128 bits has 39. Converting digits takes quadratic time."""

_decode = msgspec.json.Decoder().decode

_DIGITS = bytes(48 if letter in b"0123456789" else 32 for letter in range(256))
_TOO_LONG = b"0" * (LONGEST_NUMBER + 1)
_ALL_BUT_BRACKETS = bytes(letter for letter in range(256) if letter not in b"[]{}")


def decode(data: bytes, *, depth: int = MOST_DEPTH, fields: int = MOST_FIELDS) -> Any | Refusal:
    """Decode a whole body.

    Args:
        data: The body, already within its byte cap.
        depth: Most brackets inside each other.
        fields: Most members and elements, all levels together.

    Returns:
        The value; or the refusal `body_malformed`, whose member `errors` says what is wrong.
    """
    openings = data.count(b"{") + data.count(b"[")
    commas = data.count(b",")
    bare: bytes | None = None
    # Brackets, commas and digits inside strings count here too; only where that could matter are strings cut out.
    if openings > depth or openings + commas > fields or _TOO_LONG in data.translate(_DIGITS):
        bare = _bare(data)
        fault = _shape(bare, depth, fields)
        if fault is not None:
            return fault
    try:
        value = _decode(data)
    except UnicodeDecodeError:
        return _refused("encoding", "must be UTF-8")
    except msgspec.DecodeError as failure:
        return _refused("syntax", f"must be JSON ({failure})")
    if openings:
        # A name that stood twice was dropped once: the text has more colons than the value has members.
        members = _members(value)
        if members != data.count(b":") and members != (bare or _bare(data)).count(b":"):
            return _refused("duplicate", f"must name each member once, and has {_repeated(data)} twice")
    return value


def _bare(data: bytes) -> bytes:
    """Cut every string down to one mark.

    Escaped backslashes go first, then escaped marks; every second piece between the marks that are left is a
    string. Outside of strings a backslash is no JSON, so what this makes of one is refused anyway.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b'"'.join(data.split(b'"')[::2])


def _shape(bare: bytes, depth: int, fields: int) -> Refusal | None:
    """Judge a body without its strings: nesting, number of values, length of numbers."""
    dense = bare.translate(None, b" \t\r\n")
    openings = dense.count(b"{") + dense.count(b"[")
    empty = dense.count(b"{}") + dense.count(b"[]")
    # Every value but the outermost follows a comma, or the bracket of something that is not empty; and a bracket
    # begins a value, which bounds the walk below for `{}{}{}…` too.
    if openings - empty + dense.count(b",") > fields or openings > fields + 1:
        return _refused("fields", f"must have at most {fields} members and elements")
    if _TOO_LONG in bare.translate(_DIGITS):
        return _refused("number", f"must have no number of more than {LONGEST_NUMBER} digits")
    level = 0
    for letter in bare.translate(None, _ALL_BUT_BRACKETS):
        level += 1 if letter in b"{[" else -1
        if level > depth:
            return _refused("depth", f"must nest at most {depth} deep")
    return None


def _members(value: Any) -> int:
    """Count the members of all objects."""
    found = 0
    waiting = [value]
    for part in waiting:
        if type(part) is dict:
            found += len(part)
            waiting += part.values()
        elif type(part) is list:
            waiting += part
    return found


def _repeated(data: bytes) -> str:
    """Find a name that stands twice, for the answer; the body is known to be sound otherwise."""
    twice: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                twice.append(name)
            seen.add(name)

    json.loads(data, object_pairs_hook=look)
    return repr(twice[0][:60])


def _refused(code: str, text: str) -> Refusal:
    return refuse("body_malformed", code, members={"errors": [Misfit((), code, text).row]})
