"""A key as it is stored: what a row does not say, and when something is over."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from garrison.credentials.key_record import (
    KEEP,
    MOST_SECRETS,
    USES,
    Allowance,
    ForeignScheme,
    KeyRecord,
    KeyRow,
    KeySecret,
    KeyUse,
    Stray,
    is_over,
)
from garrison.credentials.key_view import IDLE, KeyView
from tests.credentials.world import DAY, HOUR

NONE: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("struct", "unsaid"),
    [
        (KeySecret, {"scheme": "", "expires": 0}),
        (
            KeyRecord,
            {
                **dict.fromkeys(("scopes", "secrets", "networks", "routes", "origins", "known", "limits"), NONE),
                "subject_kind": "service",
                "issuer": "",
                "tenant": "",
                "status": "active",
                "reason": "",
                "expires": 0,
                "purge": 0,
                "counted": False,
            },
        ),
        (KeyRow, {"holder": "", "purge": 0, "version": 0}),
        (KeyUse, {"count": 0, "last": 0, "purge": 0, "version": 0}),
        (Allowance, {"purge": 0, "version": 0}),
        (Stray, {"version": 0}),
        (ForeignScheme, {"sealed": "", "version": 0}),
        (KeyView, {"secrets": NONE, "uses_left": None}),
    ],
)
def test_what_is_not_said_stays_what_it_was(struct: type[Struct], unsaid: dict[str, Any]) -> None:
    """Rows leave out what is at its default: another default would give every stored key another end."""
    assert {field.name: field.default for field in fields(struct) if not field.required} == unsaid


@pytest.mark.parametrize(("end", "now", "over"), [(0, 9, False), (1, 0, False), (1, 1, True), (1, 2, True)])
def test_an_end_has_come_at_its_very_instant(end: int, now: int, over: bool) -> None:
    assert is_over(end, now) is over


def test_the_figures_are_those_of_the_documentation() -> None:
    assert (KEEP, IDLE, MOST_SECRETS) == (90 * DAY, 6 * HOUR, 3)
    assert not USES.durable, "a count that is lost is no right that is lost"
