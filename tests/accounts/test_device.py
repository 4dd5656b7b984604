"""Known devices: a cookie that opens nothing and cannot be made up."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.accounts.device import (
    KNOWN_FOR,
    MOST_DEVICES,
    Seen,
    cookie_name,
    device_of,
    digest,
    is_known,
    new_device,
    set_cookie,
    with_seen,
)
from garrison.model.http.request import Request
from tests.accounts.world import NOON

DAY = 86_400_000_000
TOKEN = "a" * 32


def request(*cookies: bytes) -> Request:
    return Request("POST", "/auth/login", [(b"cookie", cookie) for cookie in cookies])


def test_the_cookie_is_a_host_cookie_over_https() -> None:
    """No script reads it, no other site sends it, no subdomain sets it (RFC 6265bis section 4.1.3.2)."""
    name, value = set_cookie(TOKEN, secure=True)

    assert name == b"set-cookie"
    parts = value.decode().split("; ")
    assert parts[0] == f"__Host-garrison_device={TOKEN}"
    assert {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"} <= set(parts)
    assert not any(part.startswith("Domain") for part in parts)


def test_the_cookie_over_plain_loopback_has_another_name() -> None:
    """Never a weakened `__Host-`."""
    _, value = set_cookie(TOKEN, secure=False)

    assert value.startswith(b"garrison_device=")
    assert b"Secure" not in value


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"garrison_device={TOKEN}".encode(),), TOKEN),
        ((f"a=b; garrison_device={TOKEN};c=d".encode(),), TOKEN),
        ((b"a=b", f"garrison_device={TOKEN}".encode()), TOKEN),
        ((), ""),
        ((f"__Host-garrison_device={TOKEN}".encode(),), ""),
        ((f"garrison_device={TOKEN}; garrison_device={TOKEN}".encode(),), ""),
        ((f"garrison_device={TOKEN}".encode(), f"garrison_device={'b' * 32}".encode()), ""),
        ((f"garrison_device={TOKEN}x".encode(),), ""),
        ((f"garrison_device={'é' * 32}".encode("latin-1"),), ""),
        ((f'garrison_device="{TOKEN}"'.encode(),), ""),
    ],
)
def test_reading_the_cookie(lines: tuple[bytes, ...], expected: str) -> None:
    """Twice is as good as none: which one counts must not be a matter of taste."""
    assert device_of(request(*lines), secure=False) == expected


@given(st.binary(max_size=200))
def test_no_cookie_line_breaks_the_reader(line: bytes) -> None:
    assert device_of(request(line), secure=True) == ""


def test_a_device_comes_back() -> None:
    token = new_device(os.urandom)
    _, line = set_cookie(token, secure=True)

    assert device_of(request(line.split(b";")[0]), secure=True) == token
    assert new_device(os.urandom) != token


def test_what_is_known_ends() -> None:
    seen = with_seen((), "d1", NOON, MOST_DEVICES)

    assert is_known(seen, "d1", seen[0].at + KNOWN_FOR - 1)
    assert not is_known(seen, "d1", seen[0].at + KNOWN_FOR)
    assert not is_known(seen, "d2", NOON)


def test_a_second_login_of_a_day_changes_nothing() -> None:
    """So that an ordinary login does not rewrite the account."""
    seen = with_seen((), "d1", NOON, MOST_DEVICES)

    assert with_seen(seen, "d1", seen[0].at + DAY - 1, MOST_DEVICES) is seen
    assert with_seen(seen, "d1", seen[0].at + DAY, MOST_DEVICES) == (Seen("d1", seen[0].at + DAY),)


@given(st.lists(st.integers(0, 20), max_size=40))
def test_the_newest_are_kept(devices: list[int]) -> None:
    """Never more than the most, never one twice, the last one first."""
    seen: tuple[Seen, ...] = ()
    for day, device in enumerate(devices):
        seen = with_seen(seen, f"d{device}", NOON + day * DAY, MOST_DEVICES)

    names = [each.digest for each in seen]
    assert len(set(names)) == len(names) <= MOST_DEVICES
    assert names == list(dict.fromkeys(f"d{device}" for device in reversed(devices)))[:MOST_DEVICES]


def test_digests_are_keyed_and_apart() -> None:
    """A reader of the store cannot test addresses; a name is never taken for an address."""
    assert digest(b"k" * 32, "name", "ada") != digest(b"l" * 32, "name", "ada")
    assert digest(b"k" * 32, "name", "ada") != digest(b"k" * 32, "address", "ada")
    assert digest(b"k" * 32, "name", "\ud800")


def test_names_of_the_cookie() -> None:
    assert cookie_name(secure=True).startswith("__Host-")
    assert not cookie_name(secure=False).startswith("__")
