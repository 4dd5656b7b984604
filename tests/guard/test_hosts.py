"""Which hosts are served."""

from __future__ import annotations

import pytest

from garrison.guard.steps.hosts import Hosts
from garrison.model.http.request import Request


def _asks(*hosts: str) -> Request:
    return Request("GET", "/", [(b"host", host.encode("latin-1")) for host in hosts])


@pytest.mark.parametrize(
    "host", ["api.example.com", "API.Example.COM", "api.example.com:8443", "Api.example.com:1", "[2001:db8::1]:443"]
)
def test_a_listed_host_is_served_whatever_its_case_and_port(host: str) -> None:
    hosts = Hosts(["api.example.com", "[2001:db8::1]"])

    assert hosts.serve(_asks(host))
    assert hosts.serve(_asks(host))  # from memory


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.net",
        "api.example.com.",
        "api.example.com.evil.net",
        "xapi.example.com",
        "api.example.com:80:80",
        "api.example.com:",
        "api.example.com:99999999",
        "api.example.com:8o",
        "api.example.com:\u00b2",
        " api.example.com",
        "api.example.com\t",
        "user@api.example.com",
        "2001:db8::1",
    ],
)
def test_anything_else_is_not(host: str) -> None:
    """A rebound DNS name, a suffix, a port that is none."""
    assert not Hosts(["api.example.com", "[2001:db8::1]"]).serve(_asks(host))


def test_no_host_and_two_hosts_are_not_served() -> None:
    """Which of two lines counts must not be a matter of taste (RFC 9112 section 3.2)."""
    hosts = Hosts(["api.example.com"])

    assert not hosts.serve(_asks())
    assert not hosts.serve(_asks("api.example.com", "api.example.com"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_without_a_list_only_loopback_is_served(host: str) -> None:
    hosts = Hosts([])

    assert hosts.serve(_asks(host))
    assert not hosts.serve(_asks("api.example.com"))


def test_invented_ports_do_not_fill_the_memory() -> None:
    hosts = Hosts(["a.example"])

    for port in range(1, 5_000):
        assert hosts.serve(_asks(f"a.example:{port}"))

    assert len(hosts._spellings) <= 1_024
    assert hosts.serve(_asks("a.example:60000"))
