"""Strict JSON: one reading or none, whatever the size, and no other parser that sees something else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.model.http.body import LONGEST_NUMBER, decode
from garrison.model.http.refusal import Refusal

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def why(data: bytes, **caps: int) -> str:
    """The code of the refusal; empty when the body is taken."""
    found = decode(data, **caps)
    if not isinstance(found, Refusal):
        return ""
    assert (found.status, found.code) == (400, "body_malformed")
    (error,) = found.members["errors"]
    assert error["code"] == found.reason
    assert error["text"].startswith("must ")
    return found.reason


@given(JSON, st.sampled_from([None, 2]), st.booleans())
def test_what_is_json_is_taken_and_read_as_others_read_it(value: object, indent: int | None, plain: bool) -> None:
    """Whatever spaces and escapes: a body that means one thing is never refused."""
    data = json.dumps(value, indent=indent, ensure_ascii=plain).encode()

    found = decode(data)

    assert not isinstance(found, Refusal)
    assert found == value
    assert json.dumps(found) == json.dumps(value)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:01e.-\\ua\n ', max_size=40).map(str.encode))
def test_no_bytes_do_anything_but_mean_one_thing_or_be_refused(data: bytes) -> None:
    """From both sides: what is taken, the strict reading of the standard library takes too, and sees the same."""
    found = decode(data)

    if not isinstance(found, Refusal):
        assert found == json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=never)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def never(constant: str) -> object:
    raise AssertionError(constant)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "syntax"),
        (b" ", "syntax"),
        (b"{", "syntax"),
        (b"{} {}", "syntax"),
        (b"{'a': 1}", "syntax"),
        (b"[1,]", "syntax"),
        (b"NaN", "syntax"),
        (b"[Infinity]", "syntax"),
        (b"-Infinity", "syntax"),
        (b"1e999", "syntax"),
        (b"01", "syntax"),
        (b"/* */ 1", "syntax"),
        (b"\xef\xbb\xbf{}", "syntax"),
        (b'"\\ud800"', "syntax"),
        (b'"\\udc00\\ud800"', "syntax"),
        (b'"\x00"', "syntax"),
        (b"\x00", "syntax"),
        ("{}".encode("utf-16"), "syntax"),
        ("{}".encode("utf-32-be"), "syntax"),
        (b'"\xff"', "encoding"),
        (b'"\xc0\xaf"', "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        (b'"\xf4\x90\x80\x80"', "encoding"),
        (b'{"a": 1, "a": 2}', "duplicate"),
        (b'{"a": {"b": 1, "b": 1}}', "duplicate"),
        (b'{"a":1,"\\u0061":2}', "duplicate"),
        (b'{"a" :1,"a":{":":":"}}', "duplicate"),
        (b'[{"x": "a\\":"}, {"y": 1, "y": 2}]', "duplicate"),
        (b'{"":1,"":2}', "duplicate"),
        (b"1" * (LONGEST_NUMBER + 1), "number"),
        (b"-1." + b"0" * (LONGEST_NUMBER + 1), "number"),
        (b'{"n":' + b"9" * 100_000 + b"}", "number"),
        (b"[" * 33 + b"]" * 33, "depth"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "depth"),
        (b"[" * 1_000_000, "fields"),
        (b"[" + b"1," * 1_000 + b"1]", "fields"),
        (b"[" + b"[]," * 1_000 + b"[]]", "fields"),
        (b"{}" * 500_000, "fields"),
    ],
)
def test_these_are_refused(data: bytes, code: str) -> None:
    assert why(data) == code


@pytest.mark.parametrize(
    "data",
    [
        b"1" * LONGEST_NUMBER,
        b'"' + b"1" * 100 + b'"',
        b'"' + b"[{,:" * 5_000 + b'"',
        b'{"a:b": "c:d", "e": {"a:b": 1}}',
        b'{"a": "\\":\\\\", "b": {"a": [{}]}}',
        b"[" * 32 + b"]" * 32,
        b"[" + b"1," * 999 + b"1]",
        b'[{"a": 1}, {"a": 2}]',
        b' \t\r\n{ "a" \n: \t1 } \n',
        b"{}",
        b"[]",
        b"null",
        b'""',
        b"-0",
        b"0.5e-3",
        b'"\\u0000\x7f"',
        '"\U0001f512 ä"'.encode(),
    ],
)
def test_these_are_taken(data: bytes) -> None:
    assert why(data) == ""
    assert decode(data) == json.loads(data)


def test_the_caps_are_the_routes() -> None:
    assert why(b"[[1]]", depth=2) == ""
    assert why(b"[[1]]", depth=1) == "depth"
    assert why(b"[1,2]", fields=2) == ""
    assert why(b"[1,2,3]", fields=2) == "fields"
    assert why(b'{"a":[1,2]}', fields=3) == ""
    assert why(b'{"a":[1,2]}', fields=2) == "fields"


def test_the_repeated_name_is_told_and_cut() -> None:
    found = decode(b'{"' + b"a" * 500 + b'":1,"' + b"a" * 500 + b'":2}')

    assert isinstance(found, Refusal)
    assert len(found.members["errors"][0]["text"]) < 120


@given(st.lists(st.sampled_from(["a", "b", ":", '"', "\\", "a:b"]), min_size=1, max_size=6), st.booleans())
def test_a_name_that_stands_twice_is_always_seen(names: list[str], escaped: bool) -> None:
    """However colons and quotation marks in names and values try to balance the count."""
    members = ",".join(f"{_text(name, escaped)} :{json.dumps(name)}" for name in names)

    found = decode(f"{{{members}}}".encode())

    assert isinstance(found, Refusal) == (len(set(names)) < len(names))


def _text(name: str, escaped: bool) -> str:
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"' if escaped else json.dumps(name)


@given(JSON)
def test_members_and_elements_are_counted_exactly(value: object) -> None:
    """One less than a body has refuses it, as many take it."""
    count = _count(value)
    data = json.dumps(value).encode()

    assert why(data, fields=count) == ""
    assert count == 0 or why(data, fields=count - 1) == "fields"


def _count(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(1 + _count(each) for each in inner)
