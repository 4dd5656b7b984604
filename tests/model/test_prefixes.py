"""The narrowest network around an address answers, whatever else is there."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.model.prefixes import Prefixes


def _networks(bases: st.SearchStrategy[int], shortest: int, longest: int) -> st.SearchStrategy[object]:
    pairs = st.tuples(bases, st.integers(shortest, longest))
    return pairs.map(lambda pair: ip_network((pair[0], pair[1]), strict=False))


FOUR = _networks(st.integers(0, 2**12), 18, 32)
SIX = _networks(st.integers(2**52, 2**52 + 40).map(lambda high: high << 60), 40, 128)
ADDRESSES = st.integers(0, 2**12).map(ip_address) | st.integers(2**112, 2**112 + 2**66).map(ip_address)


@given(st.lists(FOUR | SIX, max_size=20, unique=True), ADDRESSES)
def test_it_finds_what_the_standard_library_finds(networks: list[object], address: object) -> None:
    prefixes = Prefixes((str(network), str(network)) for network in networks)

    around = [network for network in networks if address in network]  # type: ignore[operator]  # a network, and an address
    around.sort(key=lambda network: -network.prefixlen)  # type: ignore[attr-defined]  # it has one
    assert [found.value for found in prefixes.around(str(address))] == list(map(str, around))
    assert bool(prefixes) == bool(networks)


def test_ipv4_within_ipv6_is_ipv4() -> None:
    prefixes = Prefixes([("::ffff:10.0.0.0/104", "mapped"), ("10.1.0.0/16", "narrow")])

    assert [found.value for found in prefixes.around("10.1.2.3")] == ["narrow", "mapped"]


def test_a_network_said_twice_says_what_was_said_last() -> None:
    prefixes = Prefixes([("192.0.2.0/24", 1), ("192.0.2.0/24", 2)])

    assert prefixes.find("192.0.2.9") == ("192.0.2.0/24", 2)
    assert prefixes.find("192.0.3.9") is None


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "example.com", "unix"])
def test_what_is_no_network_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        Prefixes([(text, None)])


@pytest.mark.parametrize("address", ["", "unix", "nobody"])
def test_what_is_no_address_is_nowhere(address: str) -> None:
    assert Prefixes([("0.0.0.0/0", 1), ("::/0", 2)]).find(address) is None
