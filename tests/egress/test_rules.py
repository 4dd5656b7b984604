"""Where requests may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.egress import Rules
from garrison.egress.rules import ADDRESSES, Target, read_url
from garrison.errors import StoreError, UsageError

RULES = Rules(hosts=("id.example.com", "id.example.com:8443", "[2606:4700::1]"))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://id.example.com", Target(secure=True, host="id.example.com", port=443, path="/")),
        ("https://id.example.com/a?b=c&d", Target(secure=True, host="id.example.com", port=443, path="/a?b=c&d")),
        ("https://id.example.com:8443/x", Target(secure=True, host="id.example.com", port=8443, path="/x")),
        ("https://[2606:4700::1]/x", Target(secure=True, host="[2606:4700::1]", port=443, path="/x")),
    ],
)
def test_a_listed_host_is_a_target(url: str, target: Target) -> None:
    """With the port that was listed."""
    assert RULES.target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/",
        "https://evil.example/",
        "https://id.example.com.evil.example/",
        "https://id.example.com:444/",
        "https://id.example.com:8443@evil.example/",
        "https://evil.example@id.example.com/",
        "https://id.example.com\\@evil.example/",
        "https://id.example.com#@evil.example/",
        "https://id.example.com?@evil.example/",
        "https://id.example.com /",
        "https://id.example.com\r\nHost: evil.example/",
        "https://id.example.com/a\r\nX: y",
        "https://id.example.com/a b",
        "https://id.example.com/\\evil",
        "https://id.example.com/#x",
        "https://ID.example.com/",
        "https://id.example.com./",
        "https://іd.example.com/",
        "https://id%2eexample.com/",
        "//id.example.com/",
        "file:///etc/passwd",
        "ftp://id.example.com/",
        "https:/id.example.com/",
        "HTTPS://id.example.com/",
        "https://id.example.com:/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://0x7f.1/",
        "",
        "https://id.example.com/" + "a" * 2048,
    ],
)
def test_everything_else_is_none(url: str) -> None:
    """Other hosts, and every trick to make two readers see two hosts."""
    with pytest.raises(StoreError):
        RULES.target(url)


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    """A target, or the one error."""
    for url in (text, "https://id.example.com" + text):
        try:
            assert RULES.target(url).host in RULES.hosts
        except StoreError:
            continue


def test_addresses_are_all_permitted_or_none_is() -> None:
    """One private address among public ones is a name that is being turned against us."""
    target = RULES.target("https://id.example.com/")

    assert RULES.permitted(target, ["8.8.8.8"] * 9) == ["8.8.8.8"] * ADDRESSES
    for bad in ([], ["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"]):
        with pytest.raises(StoreError):
            RULES.permitted(target, bad)


def test_http_goes_to_this_machine_only_and_only_when_asked() -> None:
    """For development; a public address in clear is refused even then."""
    rules = Rules(hosts=("localhost:9000",), dangerously_http_to_loopback=True)
    target = rules.target("http://localhost:9000/x")

    assert rules.permitted(target, ["127.0.0.1", "::1"])
    with pytest.raises(StoreError):
        rules.permitted(target, ["8.8.8.8"])
    with pytest.raises(StoreError):
        rules.permitted(rules.target("https://localhost:9000/x"), ["127.0.0.1"])
    with pytest.raises(StoreError):
        Rules(hosts=("localhost:9000",)).target("http://localhost:9000/x")


@pytest.mark.parametrize(
    "parts",
    [
        {"hosts": ("https://id.example.com",)},
        {"hosts": ("*.example.com",)},
        {"hosts": ("",)},
        {"hosts": ("ID.example.com",)},
        {"hosts": (), "private": ("10.0.0.1/8",)},
        {"hosts": (), "private": ("inside",)},
        {"hosts": (), "private": ("0.0.0.0/0",)},
        {"hosts": (), "private": ("::/0",)},
        {"hosts": (), "time": 0},
        {"hosts": (), "size": -1},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(parts: dict[str, object]) -> None:
    """At start, by the operator's name for it."""
    with pytest.raises(UsageError):
        Rules(**parts)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://id.example.com/jwks", "id.example.com"),
        ("https://id.example.com:443/jwks", "id.example.com"),
        ("https://id.example.com:8443/jwks", "id.example.com:8443"),
        ("http://localhost:80/jwks", "localhost"),
        ("http://localhost:443/jwks", "localhost:443"),
        ("https://[2606:4700::1]:80", "[2606:4700::1]:80"),
    ],
)
def test_an_address_that_can_be_read_can_be_fetched_once_its_place_is_listed(url: str, place: str) -> None:
    """A policy lists what it read; another reader at the time of the fetch would refuse it for ever."""
    target = read_url(url)

    assert target.place == place
    assert Rules(hosts=(place,), dangerously_http_to_loopback=True).target(url) == target


@pytest.mark.parametrize("url", ["https://a:0/", "https://a:65536/", "https://a:99999", "https://a/" + "b" * 2048])
def test_a_port_or_a_length_that_cannot_be_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        read_url(url)
