"""A foreign page whose origin looks like an allowed one to a careless comparison."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors import CorsPolicy, compile_cors

EXACT = compile_cors(CorsPolicy(origins=("https://app.example.com",), methods=("PUT",), credentials=True))
BELOW = compile_cors(CorsPolicy(origins=("https://*.example.com",), methods=("PUT",), credentials=True))
LOCAL = compile_cors(CorsPolicy(origins=("http://localhost:*",), methods=("PUT",), credentials=True))

ATTACKS = [
    "https://app.example.com.evil.net",
    "https://evilapp.example.com.evil.net",
    "https://app.example.com-evil.net",
    "https://app.example.com_.evil.net",
    "https://app.example.com{.evil.net",
    "https://app.example.com%60.evil.net",
    "https://app.example.com@evil.net",
    "https://evil.net/https://app.example.com",
    "https://evil.net?.example.com",
    "https://evil.net#.example.com",
    "https://evil.net\\.example.com",
    "https://evil.net .example.com",
    "https://evilexample.com",
    "https://axexample.com",
    "https://example.com",
    "https://.example.com",
    "https://*.example.com",
    "https://app.example.co",
    "https://app.example.community",
    "http://app.example.com",
    "xhttps://app.example.com",
    "HTTPS://app.example.com",
    "https://App.example.com",
    "https://app.example.com.",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://app.example.com:",
    "https://app.example.com/",
    "https://app.example.com\n",
    "https://app.example.com\r\nX-Evil: 1",
    "https://app.exam\tple.com",
    "https://app.example.com\x0b",
    "https://app.example.com\xa0",
    "https://app.example.com\x00",
    "https://pa\xdf.example.com",
    "https://\xb5.example.com",
    "https://evil.net, https://app.example.com",
    "https://app.example.com, https://evil.net",
    "https://app.example.com,https://app.example.com",
    "https://app.example.com https://app.example.com",
    "http://localhost.evil.net",
    "http://localhost.evil.net:3000",
    "http://localhost:3000.evil.net",
    "http://evillocalhost:3000",
    "http://evil.localhost:3000",
    "http://localhost:+3000",
    "http://localhost:03000",
    "http://localhost:99999",
    "http://127.0.0.1:3000",
    "null",
    "NULL",
    "",
    "*",
]


@pytest.mark.parametrize("cors", [EXACT, BELOW, LOCAL], ids=["exact", "below", "local"])
@pytest.mark.parametrize("origin", ATTACKS)
def test_is_granted_nothing(cors: object, origin: str) -> None:
    """No read, no preflight, no trust, and not a byte of it comes back."""
    assert isinstance(cors, type(EXACT))
    value = origin.encode("latin-1")
    # What one policy refuses another may mean: the only overlap is the page that the exact policy allows.
    answers = (*cors.grant(value), *cors.preflight(value, b"PUT").headers)

    assert not cors.trusts(value)
    assert {name for name, _ in answers} == {b"vary", b"content-length"}


@given(st.sampled_from(["https://app.example.com", "https://a.b.example.com"]), st.binary(min_size=1, max_size=8))
def test_nothing_can_be_glued_to_an_allowed_origin(origin: str, glue: bytes) -> None:
    """Before it or after it: what is granted below example.com ends in exactly that."""
    for value in (origin.encode() + glue, glue + origin.encode()):
        assert not EXACT.allows(value)
        assert not BELOW.allows(value) or (value.endswith(b".example.com") and value.startswith(b"https://"))
