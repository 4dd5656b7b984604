"""Attack: a client writes forwarding headers itself, to have as many addresses as it likes or to spend a victim's."""

from __future__ import annotations

import pytest

from tests.attacks.limited import Limited

FORGED = [
    {"x_forwarded_for": "198.51.100.{n}"},
    {"x_forwarded_for": "198.51.100.{n}, 10.0.0.1"},
    {"x_real_ip": "198.51.100.{n}"},
    {"forwarded": "for=198.51.100.{n}"},
    {"client_ip": "198.51.100.{n}"},
    {"true_client_ip": "198.51.100.{n}"},
    {"cf_connecting_ip": "198.51.100.{n}"},
    {"x_forwarded_for": "garbage{n}"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
def test_a_stranger_has_one_address_whatever_it_writes(headers: dict[str, str]) -> None:
    """With and without a proxy named in the settings."""
    for trusted in ([], ["10.0.0.0/8"]):
        site = Limited("3/m", trusted=trusted)
        tries = [
            site.passes("203.0.113.7", **{name: value.format(n=n) for name, value in headers.items()})
            for n in range(10)
        ]

        assert sum(tries) == 3
        assert site.passes("198.51.100.1")


@pytest.mark.parametrize("headers", FORGED, ids=str)
def test_behind_our_proxy_only_what_it_appends_counts(headers: dict[str, str]) -> None:
    """The client's own words stand to the left of it."""
    site = Limited("3/m", trusted=["10.0.0.0/8"])
    tries = []
    for n in range(10):
        lines = {name: value.format(n=n) for name, value in headers.items()}
        lines["x_forwarded_for"] = ", ".join([*filter(None, [lines.get("x_forwarded_for")]), "203.0.113.7"])
        tries.append(site.passes("10.0.0.1", **lines))

    assert sum(tries) == 3


def test_a_row_of_commas_hides_nobody() -> None:
    """Neither many empty elements nor a very long header moves the rightmost hop."""
    site = Limited("3/m", trusted=["10.0.0.0/8"])
    fillers = (",", ", " * 4_000, "1.1.1.1," * 4_000, '"', 'for="', "x" * 30_000 + ",")

    assert sum(site.passes("10.0.0.1", x_forwarded_for=f"{filler},203.0.113.7") for filler in fillers) == 3
