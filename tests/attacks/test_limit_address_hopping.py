"""Attack: one host uses each of its addresses once, or writes one address in many ways."""

from __future__ import annotations

from tests.attacks.limited import Limited


def test_all_addresses_of_a_network_of_64_bits_are_one_client() -> None:
    """A home connection has 2**64 of them."""
    site = Limited("3/m")

    assert sum(site.passes(f"2001:db8:1:2:{n:x}:{n * 77:x}::1") for n in range(50)) == 3
    assert site.passes("2001:db8:1:3::1")


def test_one_address_written_in_many_ways_is_one_client() -> None:
    """A server may show an IPv4 client as a mapped one."""
    site = Limited("2/m")
    forms = ("203.0.113.7", "::ffff:203.0.113.7", "::FFFF:203.0.113.7", "::ffff:cb00:7107", "64:ff9b::203.0.113.7")

    assert [site.passes(form) for form in forms] == [True, True, False, False, False]


def test_what_cannot_be_read_as_an_address_is_one_client_too() -> None:
    """Not one for each spelling."""
    site = Limited("2/m")

    assert sum(site.passes(form) for form in ("0203.0.113.7", "203.0.113.07", "", "unknown", "203.0.113.7.")) == 2
