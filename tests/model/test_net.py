"""Addresses are read one way, hops from the right, and `ipaddress` agrees."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.model.net import (
    ForwardingHeader,
    Networks,
    Seen,
    address_subject,
    canonical,
    client_address,
    extent,
    wider,
)

XFF: ForwardingHeader = "x-forwarded-for"
PROXIES = Networks(["10.0.0.0/8", "2001:db8:aaaa::/48"])

V4 = st.ip_addresses(v=4)
V6 = st.one_of(
    st.ip_addresses(v=6),
    st.ip_addresses(v=6, network="::ffff:0:0/96"),
    st.ip_addresses(v=6, network="64:ff9b::/96"),
    st.ip_addresses(v=6, network="2001:db8::/32"),
)
LOOSE = st.text("0123456789abcdefABCDEF.:%[]/x ", max_size=45)


def oracle(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in IPv6Network("64:ff9b::/96"):
            return IPv4Address(address.packed[12:])
    return address


@given(st.one_of(V4, V6))
def test_every_address_has_one_form(address: IPv4Address | IPv6Address) -> None:
    """Long, short, upper case, mapped or translated: the same subject."""
    expected = ip_address(canonical(str(address)))

    assert expected == oracle(address)
    assert canonical(address.exploded.upper()) == canonical(str(address)) == canonical(canonical(str(address)))


@given(LOOSE)
def test_what_ipaddress_refuses_is_refused(text: str) -> None:
    """And what it takes is taken, but for zones without an address of IPv6."""
    try:
        address: IPv4Address | IPv6Address | None = ip_address(text)
    except ValueError:
        address = None
    if address is None:
        assert canonical(text) == ""
    elif "%" not in text:
        assert ip_address(canonical(text)) == oracle(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "testclient",
        "localhost",
        "010.0.0.1",
        "1.2.3.04",
        "::ffff:010.0.0.1",
        "::ffff:1.2.3.4.5",
        "1.2.3",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4\x00",
        "1.2.3.4 ",
        "\u0661.2.3.4",
        "1.2.3.4%eth0",
        "fe80::1%",
        "fe80::1%e/0",
        "fe80::1%\udc80",
        "[::1]",
        "::1/128",
        ":::",
        "1::2::3",
        "12345::",
        "::1" + "0" * 70,
        "\ud800::1",
    ],
)
def test_these_are_no_addresses(text: str) -> None:
    """Octal and short forms above all: two readers that disagree are a hole."""
    assert canonical(text) == ""
    assert address_subject(text) == ""
    assert wider(text) == ""


def test_a_zone_names_no_other_host() -> None:
    """It says through which interface, on this machine only."""
    assert canonical("fe80::1%eth0") == "fe80::1"


@given(V6)
def test_a_network_of_64_bits_is_one_subject(address: IPv6Address) -> None:
    """Whoever has one of its addresses has them all."""
    subject = address_subject(str(address))
    known = oracle(address)

    if isinstance(known, IPv4Address):
        assert subject == str(known)
        assert ip_network(wider(subject)) == IPv4Network((known, 24), strict=False)
    else:
        assert ip_network(subject) == IPv6Network((known, 64), strict=False)
        assert ip_network(wider(subject)) == IPv6Network((known, 48), strict=False)


@given(
    st.lists(st.one_of(V4, V6).flatmap(lambda a: st.tuples(st.just(a), st.integers(0, a.max_prefixlen))), max_size=5),
    st.one_of(V4, V6),
)
def test_networks_contain_what_ipaddress_says(
    parts: list[tuple[IPv4Address | IPv6Address, int]], address: IPv4Address | IPv6Address
) -> None:
    """Mapped and translated networks are networks of IPv4."""
    nets = [ip_network((a, bits), strict=False) for a, bits in parts if oracle(a) is a or bits < 96]
    networks = Networks([str(net) for net in nets])

    for known in [oracle(address), *[net.network_address for net in nets], *[net.broadcast_address for net in nets]]:
        if oracle(known) is not known:
            continue
        expected = any(known in net for net in nets if net.version == known.version)
        assert networks.contains(canonical(str(known))) == expected
        assert networks.contains(canonical(str(known))) == expected


def test_a_network_may_be_written_as_mapped() -> None:
    """It is the IPv4 network, whose prefix counts from the beginning of the IPv6 address."""
    networks = Networks.parse(["::ffff:10.0.0.0/104", "192.0.2.1", "unix"])
    assert Networks(["64:ff9b::/32"]).contains("64:ff9b:0:1::")
    assert not Networks(["64:ff9b::/32"]).contains("0.0.0.1")

    assert [networks.contains(a) for a in ("10.255.0.1", "11.0.0.1", "192.0.2.1", "192.0.2.2", "")] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert repr(networks) == "Networks(['::ffff:10.0.0.0/104', '192.0.2.1', 'unix'])"
    assert networks
    assert not Networks([])
    assert not Networks(["10.0.0.0/8"]).contains("")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/255.0.0.0",
        "10.0.0.1/8",
        "::/129",
        "x/8",
        "fe80::%eth0/64",
        "::ffff:10.0.0.0/x",
        "/8",
        "10.0.0.0/8/8",
        "UNIX",
    ],
)
def test_these_are_no_networks(text: str) -> None:
    """A typing mistake must not trust the whole internet, or nobody."""
    with pytest.raises(UsageError):
        Networks([text])


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    """What is remembered is bounded; the answers stay right."""
    networks = Networks(["10.0.0.0/8"])

    for number in range(10_000):
        assert not networks.contains(canonical(f"11.0.{number >> 8}.{number & 255}"))
    assert len(networks._known) <= 4_097
    assert networks.contains("10.1.2.3")
    assert not networks.contains("10.1.2.3" + "x" * 100_000)
    assert "10.1.2.3" + "x" * 100_000 not in networks._known


def seen(peer: str, *lines: str, header: ForwardingHeader = XFF, trusted: Networks = PROXIES, hops: int = 8) -> Seen:
    return client_address(peer, [line.encode("latin-1") for line in lines], trusted, header, hops)


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        ("203.0.113.7", (), Seen("203.0.113.7", False)),
        ("203.0.113.7", ("1.1.1.1",), Seen("203.0.113.7", False)),
        ("10.0.0.1", (), Seen("10.0.0.1", False)),
        ("10.0.0.1", ("",), Seen("10.0.0.1", False)),
        ("10.0.0.1", ("203.0.113.7",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("1.1.1.1, 203.0.113.7",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("1.1.1.1", "203.0.113.7"), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("203.0.113.7", "10.0.0.2"), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("203.0.113.7,10.0.0.2 ,\t10.0.0.3",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("10.0.0.9, 10.0.0.2",), Seen("10.0.0.9", False)),
        ("10.0.0.1", (",,203.0.113.7,,",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("unknown",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("1.1.1.1, garbage, 10.0.0.2",), Seen("10.0.0.2", True)),
        ("10.0.0.1", ("203.0.113.7:4711",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("203.0.113.7:_x",), Seen("203.0.113.7", False)),
        ("10.0.0.1", ("203.0.113.7:",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("203.0.113.7:99999999",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("203.0.113.7:_",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("203.0.113.7:_" + "a" * 40,), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("[2001:db8::7]:4711",), Seen("2001:db8::7", False)),
        ("10.0.0.1", ("[2001:db8::7]",), Seen("2001:db8::7", False)),
        ("10.0.0.1", ("2001:db8::7",), Seen("2001:db8::7", False)),
        ("10.0.0.1", ("[2001:db8::7",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("[2001:db8::7]4711",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("[203.0.113.7]",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("203.0.113.7\xe9",), Seen("10.0.0.1", True)),
        ("10.0.0.1", ("010.0.0.7",), Seen("10.0.0.1", True)),
        ("::ffff:10.0.0.1", ("::ffff:203.0.113.7",), Seen("203.0.113.7", False)),
        ("2001:db8:aaaa::1", ("64:ff9b::203.0.113.7",), Seen("203.0.113.7", False)),
        ("", ("203.0.113.7",), Seen("", False)),
        ("testclient", (), Seen("", True)),
        ("testclient", ("203.0.113.7",), Seen("", True)),
    ],
)
def test_the_rightmost_hop_that_is_not_ours_is_the_client(peer: str, lines: tuple[str, ...], expected: Seen) -> None:
    """A peer that is no proxy of ours is believed nothing; what is no address ends the walk at the last proxy."""
    assert seen(peer, *lines) == expected


def test_a_unix_socket_is_a_proxy_only_if_it_is_named() -> None:
    """And a peer that is no address is never taken for one."""
    behind = Networks(["unix"])

    assert seen("", "203.0.113.7", trusted=behind) == Seen("203.0.113.7", False)
    assert seen("testclient", "203.0.113.7", trusted=behind) == Seen("", True)


def test_a_row_of_proxies_is_believed_up_to_a_length() -> None:
    """Beyond it the last proxy stands for the client, flagged."""
    row = [f"10.0.0.{number}" for number in range(2, 10)]

    assert seen("10.0.0.1", ", ".join(["203.0.113.7", *row[1:]])) == Seen("203.0.113.7", False)
    assert seen("10.0.0.1", ", ".join(["203.0.113.7", *row])) == Seen("10.0.0.2", True)
    assert seen("10.0.0.1", "203.0.113.7", *row) == Seen("10.0.0.2", True)
    assert seen("10.0.0.1", *row) == Seen("10.0.0.2", False)
    assert seen("10.0.0.1", "203.0.113.7", hops=0) == Seen("10.0.0.1", True)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("for=203.0.113.7",), Seen("203.0.113.7", False)),
        (('FOR="203.0.113.7:4711";proto=https;by=10.0.0.1',), Seen("203.0.113.7", False)),
        (('proto=http; for="[2001:db8:cafe::17]:4711"',), Seen("2001:db8:cafe::17", False)),
        (("for=203.0.113.7, for=10.0.0.2",), Seen("203.0.113.7", False)),
        ((", for=203.0.113.7,, ",), Seen("203.0.113.7", False)),
        (("for=203.0.113.7;" + "x" * 500,), Seen("10.0.0.1", True)),
        (("for=1.1.1.1", "for=203.0.113.7;by=_x"), Seen("203.0.113.7", False)),
        (('for="_gazonk"',), Seen("10.0.0.1", True)),
        (("for=unknown",), Seen("10.0.0.1", True)),
        (("proto=https",), Seen("10.0.0.1", True)),
        (("for",), Seen("10.0.0.1", True)),
        (("for=",), Seen("10.0.0.1", True)),
        (('for=""',), Seen("10.0.0.1", True)),
        (('for="203.0.113.7',), Seen("10.0.0.1", True)),
        (('for="203.0.113.7""',), Seen("10.0.0.1", True)),
        (("for=203.0.113.7:4711",), Seen("10.0.0.1", True)),
        (("for=[2001:db8::1]",), Seen("10.0.0.1", True)),
        (("for=203.0.113.7;for=1.1.1.1",), Seen("10.0.0.1", True)),
        (('for="a, for=203.0.113.7',), Seen("203.0.113.7", False)),
    ],
)
def test_forwarded_is_read_as_its_rfc_says(lines: tuple[str, ...], expected: Seen) -> None:
    """RFC 7239 sections 4 and 6; a quote opened by the client swallows nothing that our proxy wrote."""
    assert seen("10.0.0.1", *lines, header="forwarded") == expected


HOP = st.one_of(
    V4.map(str),
    V6.map(str),
    st.ip_addresses(v=4, network="10.0.0.0/8").map(str),
    st.sampled_from(("unknown", "", " ", '"', ",", "for=1.1.1.1", "10.0.0.1", "1.1.1.1:80", "[::1]")),
    st.text(st.characters(max_codepoint=255), max_size=20),
)


@given(st.lists(st.lists(HOP, max_size=4).map(", ".join), max_size=3), st.sampled_from((XFF, "forwarded")))
def test_nothing_a_stranger_sends_changes_who_he_is(lines: Sequence[str], header: ForwardingHeader) -> None:
    """Property of the walk: his own proxy's word is not ours."""
    assert seen("203.0.113.7", *lines, header=header) == Seen("203.0.113.7", False)


@given(st.lists(st.lists(HOP, max_size=4).map(", ".join), max_size=3), st.booleans(), st.booleans())
def test_nothing_left_of_what_our_proxy_wrote_counts(lines: list[str], same_line: bool, rfc: bool) -> None:
    """Whatever a client puts into the header before our proxy appends its address."""
    ours = "for=203.0.113.7" if rfc else "203.0.113.7"
    if same_line and lines:
        lines[-1] += f", {ours}"
    else:
        lines.append(ours)

    assert seen("10.0.0.1", *lines, header="forwarded" if rfc else XFF) == Seen("203.0.113.7", False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.0/8", (32, 8)),
        ("0.0.0.0/0", (32, 0)),
        ("192.0.2.1", (32, 32)),
        ("2001:db8::/32", (128, 32)),
        ("::/0", (128, 0)),
        ("::ffff:10.0.0.0/104", (32, 8)),
        ("64:ff9b::/96", (32, 0)),
        ("unix", (0, 0)),
    ],
)
def test_how_much_a_network_holds_is_told_of_the_addresses_that_it_holds(text: str, found: tuple[int, int]) -> None:
    """`::ffff:0.0.0.0/96` is everybody, however long its prefix looks."""
    assert extent(text) == found


@given(st.text(max_size=20))
def test_what_has_an_extent_is_a_network(text: str) -> None:
    """The policy asks for the one, the start makes the other."""
    made = []
    for make in (extent, lambda network: Networks((network,))):
        with suppress(UsageError):
            made.append(make(text))

    assert len(made) in (0, 2)
