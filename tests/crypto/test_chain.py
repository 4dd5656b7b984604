"""The keyed hash chain under the journal."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.chain import GENESIS, link
from garrison.errors import UsageError

KEY = bytes(range(32))


def chained(bodies: list[bytes], key: bytes = KEY) -> list[bytes]:
    """Every link of a chain."""
    links, last = [], GENESIS
    for number, body in enumerate(bodies, 1):
        last = link(key, last, number, body)
        links.append(last)
    return links


def test_a_link_is_the_mac_of_the_one_before_the_number_and_the_body() -> None:
    """By hand, so that another program can verify an export."""
    assert link(KEY, GENESIS, 1, b"x") == hmac.digest(KEY, bytes(32) + b"\0\0\0\0\0\0\0\1x", hashlib.sha256)


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=9, unique=True), st.data())
def test_every_change_shows_in_the_last_link(bodies: list[bytes], data: st.DataObject) -> None:
    """Changed, dropped, inserted, swapped."""
    place = data.draw(st.integers(0, len(bodies) - 2))
    changes = [
        [*bodies[:place], bodies[place] + b"!", *bodies[place + 1 :]],
        bodies[:place] + bodies[place + 1 :],
        [*bodies[:place], b"new", *bodies[place:]],
        [*bodies[:place], bodies[place + 1], bodies[place], *bodies[place + 2 :]],
    ]

    assert chained(bodies)[-1] not in [chained(changed)[-1] for changed in changes]


def test_without_the_key_no_link_can_be_made() -> None:
    """An unkeyed chain is recomputed by whoever changed it."""
    assert chained([b"x"]) != chained([b"x"], bytes(32))


@pytest.mark.parametrize(
    ("key", "previous", "sequence"),
    [(KEY[:31], GENESIS, 1), (KEY, GENESIS[:31], 1), (KEY, GENESIS + b"x", 1), (KEY, GENESIS, 0)],
)
def test_parts_of_another_length_are_refused(key: bytes, previous: bytes, sequence: int) -> None:
    """Else a byte could move from one part to the next unseen."""
    with pytest.raises(UsageError):
        link(key, previous, sequence, b"")
