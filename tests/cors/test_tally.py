"""What is counted and shown of refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors.tally import REASONS, Tally, printable, reason_of


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (b"null", "null"),
        (b"https://a.example,https://b.example", "several"),
        (b"https://a.example", "origin"),
        (b"https://a.example/", "malformed"),
        (b"", "malformed"),
        (b"https://" + b"a" * 9_000, "malformed"),
    ],
)
def test_says_why(origin: bytes, reason: str) -> None:
    """One reason for each, and each is counted under it."""
    tally = Tally()

    assert reason_of(origin) == tally.origin(origin) == reason
    assert tally.counts == dict.fromkeys(REASONS, 0) | {reason: 1}


def test_counts_other_reasons() -> None:
    """Methods, fields, writes and handshakes have no origin of their own to show."""
    tally = Tally()

    tally.count("cross_site")

    assert tally.counts["cross_site"] == 1
    assert not tally.recent


@given(st.binary(max_size=400))
def test_what_is_shown_can_forge_neither_log_line_nor_page(value: bytes) -> None:
    """CVE-2024-1681 was a log line forged through an origin."""
    shown = printable(value)

    assert shown.isascii()
    assert shown.isprintable()
    assert not set("<>&\"'") & set(shown)
    assert len(shown) <= 400
