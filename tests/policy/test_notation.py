"""Notations: what each takes, what it refuses, and that its own example is right."""

from __future__ import annotations

import ast
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.policy.notation import NOTATIONS, READERS

GOOD = {
    "characters": ["[a-z]", "[A-Za-z0-9_.-]", "[é]"],
    "field": ["x-api-key", "x", "!#$%&'*+.^_`|~-"],
    "host": ["example.com", "localhost", "a", "xn--bcher-kva.example", "127.0.0.1", "[::1]", "[2001:db8::7]", "a_b.c"],
    "exact": ["at most 64 in 15m"],
    "https": ["https://a", "https://id.example.com:8443/jwks?v=1", "https://[2606:4700::1]/jwks"],
    "life": ["1s", "15m", "1h30m"],
    "network": ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "::ffff:10.0.0.0/104"],
    "peer": ["10.0.0.0/8", "::1", "unix"],
    "prefix": ["", "/auth", "/a/b", "/a.b/c-d_e~"],
    "reference": ["file:/run/x", "file:x", "credential:root-1.key", "env:ROOT", "env:_x1"],
    "scope": ["a:b", "a:*", "a"],
    "counters": [
        "memory:",
        "records:",
        "redis://localhost",
        "redis://garrison@127.0.0.1:6380/0",
        "rediss://garrison@cache.example.com",
        "unix:///run/redis/redis.sock",
    ],
    "store": [
        "memory:",
        "sqlite:/var/x.db",
        "sqlite:x y.db",
        "postgresql:///notes?host=/run/postgresql",
        "postgresql://notes@localhost/notes",
        "postgresql://notes@[::1]:5433/notes",
        "postgresql://notes@db.example.com:5432/notes?sslmode=verify-full",
    ],
}
BAD = {
    "characters": ["", "a-z", "[]", "[^a]", "[a]]", "[a]+", "[a\\d]", "[a][b]", "[z-a]", "[a--b]", "[a&&b]", "[a||b]"],
    "field": ["", "X-Api-Key", "x api", "x:", "ä", "x\n", "a" * 65],
    "host": [
        "",
        "Example.com",
        "https://a",
        "a:80",
        "a/",
        "a..b",
        ".a",
        "1",
        "01.2.3.4",
        "1.2.3",
        "0x7f.1",
        "[0:0:0:0:0:0:0:1]",
        "[2001:DB8::7]",
        "[::ffff:1.2.3.4]",
        "a.",
        "*.a",
        "[1]",
        "[::1",
        "[]",
        "[127.0.0.1/8]",
        "[10.0.0.0/8]",
        "[127.0.0.1]",
        "[::1%eth0]",
        "[::/0]",
        "ä.de",
        "a\n",
        "a" * 64,
        "a." * 127 + "a",
    ],
    "exact": ["", "5/s", "at most 65 in 15m", "4 at once", "1000 per calendar day"],
    "https": [
        "",
        "id.example.com",
        "http://id.example.com/jwks",
        "http://localhost/jwks",
        "https:///jwks",
        "https://ID.example.com/jwks",
        "https://user@id.example.com/jwks",
        "https://id.example.com:0/jwks",
        "https://id.example.com:65536/jwks",
        "https://id.example.com/a#b",
        "https://id.example.com\\jwks",
        "https://id.example.com/" + "a" * 2048,
        "file:///etc/passwd",
    ],
    "life": ["", "0s", "500ms", "1500ms", "15"],
    "network": [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.0.0.255",
        "fe80::%eth0/64",
        "fe80::1%eth0",
        "10.0.0",
        "a",
        "10.0.0.0/8 ",
        "Unix",
        "unix",
    ],
    "peer": ["Unix", "unix:", "10.0.0.1/8"],
    "prefix": ["/", "auth", "/a/", "//a", "/a//b", "/.", "/..", "/a/../b", "/{id}", "/a b", "/a\n"],
    "reference": ["", "secret", "file:", "env:", "env:1X", "env:A-B", "credential:a/b", "vault:x", "env:X\n"],
    "scope": ["", "*", "a b"],
    "counters": [
        "",
        "memory",
        "sqlite:x",
        "redis:",
        "redis://",
        "redis://cache.example.com",
        "redis://a:b@localhost",
        "redis://localhost/1",
        "redis://localhost?db=1",
        "unix://relative",
    ],
    "store": [
        "",
        "memory",
        "memory:x",
        "sqlite:",
        "redis://x",
        "sqlite:a?b",
        "sqlite:a\n",
        "postgres://",
        "postgresql:notes",
        "postgresql://notes:secret@localhost/notes",
        "postgresql://localhost/notes?password=secret",
        "postgresql://db.example.com/notes",
        "postgresql://db.example.com/notes?sslmode=require",
        "postgresql:///notes?host=db.example.com",
        "postgresql://a@b@c/notes",
        "sqlite::memory:",
        "sqlite:.",
    ],
}


def test_every_example_is_right() -> None:
    for name, notation in NOTATIONS.items():
        READERS[name](ast.literal_eval(notation.example))


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_it_takes(name: str, text: str) -> None:
    READERS[name](text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_it_refuses(name: str, text: str) -> None:
    with pytest.raises(UsageError):
        READERS[name](text)


@given(st.sampled_from(sorted(READERS)), st.text(max_size=30))
def test_no_text_does_anything_but_fit_or_be_refused(name: str, text: str) -> None:
    with suppress(UsageError):
        READERS[name](text)
