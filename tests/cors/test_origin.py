"""The origin grammar: what browsers write, byte for byte, and nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors.origin import LONGEST, Origin, is_address, is_loopback, parse

SPECIAL = {"http", "https", "ws", "wss", "ftp"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"

labels = st.text(LETTERS + DIGITS + "-_", min_size=1, max_size=63)
names = st.lists(labels, min_size=1, max_size=5).map(".".join).filter(lambda name: len(name) <= 253)
nasty = st.lists(
    st.sampled_from([*"abz019.-_:/[]@#?%*+\\ \t\n\x00AZ", "ß", "\xa0", "::", "://", "https", "127.", "xn--"])
).map("".join)
origins = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https", "chrome-extension", "capacitor"]),
    names | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda address: f"[{address.compressed}]"),
    st.just("") | st.integers(0, 70_000).map(":{}".format),
)


def plain(text: str) -> Origin | None:
    """The same grammar read the slow way, letter by letter, without a regular expression."""
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme or scheme[0] not in LETTERS or set(scheme) - set(LETTERS + DIGITS + "+.-"):
        return None
    if rest.startswith("["):
        host, bracket, port = rest.partition("]")
        host, rest = host + bracket, port
    else:
        host = rest.split(":")[0]
        rest = rest[len(host) :]
    if (rest and rest[0] != ":") or len(scheme) > 32 or not 0 < len(host) <= 253:
        return None
    number = 0
    if rest:
        digits = rest[1:]
        if not digits or set(digits) - set(DIGITS) or digits[0] == "0" or len(digits) > 5:
            return None
        number = int(digits)
        if number > 65_535 or (scheme, number) in {("http", 80), ("https", 443)}:
            return None
    return Origin(scheme, host, number) if plain_host(scheme, host) else None


def plain_host(scheme: str, host: str) -> bool:
    if host.startswith("["):
        try:
            address = IPv6Address(host[1:-1])
        except ValueError:
            return False
        return address.ipv4_mapped is None and host == f"[{address.compressed}]"
    parts = host.split(".")
    if any(not 0 < len(part) < 64 or set(part) - set(LETTERS + DIGITS + "-_") for part in parts):
        return False
    last = parts[-1]
    numeric = not set(last) - set(DIGITS) or (last.startswith("0x") and not set(last[2:]) - set(DIGITS + "abcdef"))
    if scheme not in SPECIAL or not numeric:
        return True
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


@given(origins | nasty | st.builds("{}{}".format, origins, nasty) | st.text(max_size=40))
def test_two_parsers_agree(text: str) -> None:
    """Where two readers of one value disagree, an attacker finds the gap."""
    assert parse(text) == plain(text)


@given(origins.filter(lambda text: parse(text) is not None))
def test_what_is_read_writes_itself_again(text: str) -> None:
    """One text for one origin: nothing was folded, decoded or dropped."""
    scheme, host, port = parse(text) or Origin("", "", 0)

    assert f"{scheme}://{host}" + (f":{port}" if port else "") == text


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://localhost:65535",
        "https://192.0.2.10",
        "http://[::1]:8080",
        "https://a_b.example.com",
        "https://xn--bcher-kva.example.com",
        "https://" + "a" * 63 + ".example.com",
        "https://" + ".".join(["a" * 49] * 5) + ".com",
        "moz-extension://4ad1b0cb-55a3-4f0a-9d0e-0d5a8e1d1a3c",
        "chrome-extension://12345",
    ],
)
def test_reads_what_a_browser_writes(text: str) -> None:
    """Refusing one of these locks an allowed page out."""
    assert parse(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "https://",
        "app.example.com",
        "HTTPS://app.example.com",
        "https://App.example.com",
        "https://app.example.com/",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://u@app.example.com",
        "https://app.example.com\n",
        "https://app.exam\tple.com",
        " https://app.example.com",
        "https://app.example.com.",
        "https://app..example.com",
        "https://.example.com",
        "https://app.example.com:",
        "https://app.example.com:0",
        "https://app.example.com:080",
        "https://app.example.com:+80",
        "https://app.example.com:65536",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://" + "a" * 64 + ".com",
        "https://" + "a." * 126 + "co",
        "https://b\u00fccher.example.com",
        "https://127.1",
        "https://0300.0.2.10",
        "https://3221225994",
        "https://0x7f",
        "https://256.1.1.1",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[::ffff:102:304]",
        "http://[::1%25eth0]",
        "http://[::g]",
        "http://[:::]",
        "http://[::1",
        "https://a.example.com, https://b.example.com",
        "https://*.example.com",
        "https://" + "a" * 5_000,
        "a" * 33 + "://a",
    ],
)
def test_refuses_what_no_browser_writes(text: str) -> None:
    """Each of these has been taken for its harmless look-alike by some library."""
    assert parse(text) is None


def test_the_longest_origin_fits() -> None:
    """The length that is looked at leaves no legal origin out."""
    longest = "a" * 32 + "://" + ".".join(["a" * 61] * 4 + ["a" * 5]) + ":65535"

    assert parse(longest) is not None
    assert len(longest) == 294 < LONGEST


@pytest.mark.parametrize(
    ("host", "address", "loopback"),
    [
        ("localhost", False, True),
        ("app.localhost", False, True),
        ("localhost.example.com", False, False),
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("127.0.0.1.example.com", False, False),
        ("127.evil", False, False),
        ("[::1]", True, True),
        ("[2001:db8::1]", True, False),
        ("192.0.2.1", True, False),
    ],
)
def test_knows_addresses_and_loopback(host: str, address: bool, loopback: bool) -> None:
    """A name that only begins like a loopback address is somebody's domain."""
    assert (is_address(host), is_loopback(host)) == (address, loopback)
