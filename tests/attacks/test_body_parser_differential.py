"""A body that two parsers read differently is refused by the first: the guard checks what the handler will see."""

from __future__ import annotations

import json

import pytest

from garrison.model.http.body import decode
from garrison.model.http.refusal import Refusal

SMUGGLED = {
    "the last role wins here, the first one there": b'{"role": "user", "role": "admin"}',
    "an escaped spelling of the same name": b'{"role": "user", "r\\u006fle": "admin"}',
    "the same, one level down": b'{"user": {"role": "user", "role": "admin"}}',
    "colons in strings hide the second name": b'{"role" :"user:", "role":"admin"}',
    "a name that ends in a quotation mark": b'{"role\\"": 1, "role\\"": 2}',
    "another encoding, which some parsers guess": '{"role": "admin"}'.encode("utf-16"),
    "the same with four bytes a letter": '{"role": "admin"}'.encode("utf-32"),
    "a byte order mark before it": b'\xef\xbb\xbf{"role": "admin"}',
    "a comment that some parsers skip": b'{"role": "user" /* , "role": "admin" */}',
    "a second document behind the first": b'{"role": "user"}{"role": "admin"}',
    "a number that is none": b'{"limit": NaN}',
    "a number beyond every number": b'{"limit": 1e400}',
    "a number that costs a parser its time": b'{"limit": ' + b"9" * 5_000 + b"}",
    "half a letter": b'{"name": "\\ud83d"}',
    "overlong spelling of a slash": b'{"path": "\xc0\xaf"}',
    "nesting that costs a parser its stack": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a control character in a string": b'{"name": "a\nb"}',
    "a trailing comma": b'{"role": "user",}',
    "single quotation marks": b"{'role': 'admin'}",
}


@pytest.mark.parametrize("body", SMUGGLED.values(), ids=SMUGGLED)
def test_it_is_refused(body: bytes) -> None:
    found = decode(body)

    assert isinstance(found, Refusal)
    assert (found.status, found.code) == (400, "body_malformed")


def test_what_hides_nothing_passes() -> None:
    """The bound from the other side: equal names in different objects, colons and braces in strings."""
    body = b'{"role": "user", "by": {"role": "x:{,\\""}, "all": [{"role": 1}, {"role": 2}]}'

    assert decode(body) == json.loads(body)
