"""What a store knows of a kind: its key, its indexed values, its expiry, and what cannot be stored."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import field
from msgspec.structs import replace

from garrison.errors import StoreError, UsageError
from garrison.stores.kinds import Shape, known, storable, summed
from garrison.stores.protocols import Add, Kind, Record


class Coupon(Record, frozen=True, kw_only=True):
    id: str
    owner: str = ""
    left: int = 3
    until: int = 0
    free: bool = False
    notes: dict[str, str] = field(default_factory=dict)


COUPON = Kind(name="coupon", struct=Coupon, indexes=("owner",), expires="until")
SHAPE = Shape(COUPON)


@pytest.mark.parametrize(("text", "wanted"), [("a", True), ("\0", True), ("", False), ("\ud800", False), (5, False)])
def test_a_key_is_text_that_can_be_written(text: object, wanted: bool) -> None:
    """Anything else is simply not there."""
    assert storable(text) is wanted


def test_a_record_is_live_until_its_instant() -> None:
    """Expiry equal to now has passed; 0 is never."""
    assert [SHAPE.live(Coupon(id="a", until=until), 10) for until in (0, 9, 10, 11)] == [True, False, False, True]
    assert Shape(replace(COUPON, expires="")).live(Coupon(id="a", until=1), 10)


@pytest.mark.parametrize("owner", [5, None, "\ud800"])
def test_a_value_that_cannot_be_indexed_is_misuse(owner: Any) -> None:
    """Rather than an entry nobody finds."""
    with pytest.raises(UsageError):
        SHAPE.values(Coupon(id="a", owner=owner))


@pytest.mark.parametrize("until", ["soon", 1.5, True, -1, 2**63])
def test_an_expiry_that_is_no_instant_is_misuse(until: Any) -> None:
    """Rather than a record that lives for ever."""
    with pytest.raises(UsageError):
        SHAPE.values(Coupon(id="a", until=until))


@pytest.mark.parametrize("notes", [{"a": object()}, {"a": "\ud800"}, {"a": 5}, "text"])
def test_what_json_cannot_carry_there_and_back_is_misuse(notes: Any) -> None:
    """A record that could be written but not read would be lost."""
    with pytest.raises(UsageError):
        SHAPE.encode(Coupon(id="a", notes=notes))


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": 5}', b"\xff", b"[]"])
def test_what_does_not_fit_the_struct_is_a_fault(body: bytes) -> None:
    """It was stored by somebody else. The fault names it, so that the others can be read."""
    with pytest.raises(StoreError, match="'a' of coupon cannot be read"):
        SHAPE.decode(body, "a")


def test_only_whole_numbers_are_added_to() -> None:
    """Neither text nor truth; nor beyond 64 bits, which no database could keep."""
    coupon = Coupon(id="a", version=4)
    changed = summed(coupon, Add(COUPON, "a", "left", -3))

    assert isinstance(changed, Coupon)
    assert (changed.left, changed.version) == (0, 5)
    assert summed(coupon, Add(COUPON, "a", "left", -4)) is None
    for name, amount in (("owner", 1), ("free", 1), ("left", 2**63)):
        with pytest.raises(UsageError):
            summed(coupon, Add(COUPON, "a", name, amount))


def test_unknown_steps_fields_and_indexes_are_misuse() -> None:
    """A misspelt field would be a condition that never holds, or always."""
    with pytest.raises(UsageError):
        known(COUPON, {})
    with pytest.raises(UsageError):
        SHAPE.field("colour")
    with pytest.raises(UsageError):
        SHAPE.findable("left")
    SHAPE.findable("")
