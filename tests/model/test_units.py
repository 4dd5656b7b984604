"""Durations and sizes: one reading, one writing, no third way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.errors import UsageError
from garrison.model.units import DAY, HOUR, MINUTE, SECOND, duration, duration_text, instant_text, size, size_text


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("0s", 0),
        ("1us", 1),
        ("250ms", 250_000),
        ("5m", 5 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("7d", 7 * DAY),
        ("2w", 14 * DAY),
        ("1d2h3m4s5ms6us", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5_006),
        ("90s", 90 * SECOND),
    ],
)
def test_a_duration_is_read(text: str, microseconds: int) -> None:
    assert duration(text) == microseconds


@pytest.mark.parametrize(("text", "count"), [("0B", 0), ("512B", 512), ("16KiB", 16384), ("1MiB512KiB", 1536 << 10)])
def test_a_size_is_read(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "m",
        "-5m",
        "+5m",
        "5 m",
        "5.5m",
        "5M",
        "5min",
        "30m1h",
        "5m5m",
        "5m ",
        " 5m",
        "٥m",
        "5m\n",
        "1_0s",
        "0x5s",
        "99999999999999999s",
        "9007199254740993us",
        "1e3s",
        "５m",
        "1KB",
        "5ｍ",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration such as 30s, 5m, 1h30m or 7d"):
        duration(text)


@pytest.mark.parametrize("text", ["1MB", "1mib", "1 MiB", "1.5MiB", "", "1", "5s", "1B1KiB"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size such as 512B, 16KiB or 1MiB"):
        size(text)


@given(st.integers(0, 2**53))
def test_what_is_written_is_read_back(number: int) -> None:
    assert duration(duration_text(number)) == number
    assert size(size_text(number)) == number


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_misuse(text: str) -> None:
    """From both sides: nothing else escapes, and what is read is no less than nothing and exact in every store."""
    for read in (duration, size):
        with suppress(UsageError):
            assert 0 <= read(text) <= 2**53


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (SECOND - 1, "1970-01-01T00:00:00Z"),
        (1_800_000_000 * SECOND, "2027-01-15T08:00:00Z"),
        (253_402_300_799 * SECOND, "9999-12-31T23:59:59Z"),
    ],
)
def test_an_instant_is_written_in_utc(at: int, text: str) -> None:
    """RFC 3339: wherever the server stands, and never ahead of the instant."""
    assert instant_text(at) == text
