"""How events become links: nothing can be moved between chains, and no link is a head's seal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from garrison.crypto.chain import GENESIS, link
from garrison.errors import UsageError
from garrison.model.event import Event
from garrison.stores.sealing import Links, body_of, event_of, follow, genuine, head_of, linked, rebased, writer_name
from garrison.testing.store_case import KEY

BODY = body_of(Event(code="x", at=1))
HEAD = head_of(KEY, "main", *[Links(2, b"m" * 32), Links(1, b"b" * 32)])


def test_a_chain_is_the_links_of_crypto_over_the_writer_and_the_event() -> None:
    """So that anybody can check it without this code."""
    first, second = follow(KEY, "main", Links(), [BODY, BODY])

    assert first == (1, link(KEY, GENESIS, 1, b"main\n" + BODY))
    assert second == (2, link(KEY, first.mac, 2, b"main\n" + BODY))
    assert event_of(BODY) == Event(code="x", at=1)


def test_no_byte_moves_between_writer_and_event() -> None:
    """`main` + `-2…` is not `main-2` + `…`."""
    assert linked(KEY, GENESIS, 1, "main", b"-2") != linked(KEY, GENESIS, 1, "main-2", b"")


@pytest.mark.parametrize("name", ["", "Main", "2", "a\n", "a\0", "a" * 65, "ä"])
def test_a_writer_has_a_plain_name(name: str) -> None:
    """It stands before a line feed in every link."""
    with pytest.raises(UsageError):
        writer_name(name)


def test_a_head_is_genuine_under_its_key_only() -> None:
    """And only as it was written."""
    assert genuine([b"o" * 32, KEY], HEAD) == KEY
    assert genuine([b"o" * 32], HEAD) is None
    changes: list[dict[str, object]] = [
        {"writer": "other"},
        {"sequence": 3},
        {"sequence": -1},
        {"sequence": 2**70},
        {"mac": "00" * 32},
        {"mac": "zz"},
        {"mac": ""},
        {"base": 0},
        {"base": -1},
        {"base_mac": "00" * 32},
        {"seal": ""},
        {"seal": "é"},
    ]
    assert [genuine([KEY], replace(HEAD, **change)) for change in changes] == [None] * len(changes)


def test_moving_the_base_keeps_the_end() -> None:
    """Retention vouches for what it removed."""
    moved = rebased(KEY, HEAD, Links(2, b"c" * 32))

    assert (moved.sequence, moved.mac, moved.base, moved.base_mac) == (2, HEAD.mac, 2, (b"c" * 32).hex())
    assert genuine([KEY], moved) == KEY
