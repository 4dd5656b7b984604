"""Which addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.egress.address import is_loopback, is_permitted

INSIDE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1"),
    *("64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:a00:1::", "2001:db8::1", "2002:a00:1::1"),
    *("3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "4000::1"),
    *("", "localhost", "1.2.3", "01.2.3.4", "0x7f000001", "2130706433", "1.2.3.4/32", "1.2.3.4 ", "[::1]", "é"),
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "198.20.0.1",
    "223.255.255.1",
]
OUTSIDE += ["2606:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "::ffff:8.8.8.8", "2001:200::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_somebodys_inside_is_refused(address: str) -> None:
    """Also when an IPv6 address hides an IPv4 one, and when it is no address at all."""
    assert not is_permitted(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is_permitted(address: str) -> None:
    """The bound from the other side."""
    assert is_permitted(address)


def test_a_named_network_is_permitted_and_nothing_beside_it() -> None:
    """For an issuer inside one's own network."""
    named = [ip_network("10.1.2.0/24"), ip_network("fd00::/64")]

    assert is_permitted("10.1.2.3", named)
    assert is_permitted("::ffff:10.1.2.3", named)
    assert is_permitted("fd00::1", named)
    assert not is_permitted("10.1.3.3", named)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_nothing_that_the_standard_library_calls_private_is_permitted(address: IPv4Address) -> None:
    """Two lists of one registry."""
    assert not (is_permitted(str(address)) and (address.is_private or address.is_multicast or address.is_reserved))


def test_loopback_is_this_machine() -> None:
    """And nothing else, whatever it is written like."""
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "10.0.0.1", "localhost", "", "::"]))
