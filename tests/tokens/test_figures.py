"""What is not said, and how long things last: stored rows and the documentation depend on it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from garrison.tokens import cache, issue, jwks, refresh, revocations, verifier
from garrison.tokens.claims import Claims
from garrison.tokens.keys import Rotation, StoredKey
from garrison.tokens.refresh import Family
from garrison.tokens.revocations import Revocation

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
NONE: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("struct", "unsaid"),
    [
        (
            Claims,
            {
                **dict.fromkeys(("sub", "jti", "scope", "client_id", "sid", "tenant", "acr"), ""),
                "iat": 0,
                "nbf": 0,
                "auth_time": 0,
                "epoch": None,
                "amr": NONE,
                "cnf": None,
            },
        ),
        (
            Family,
            {
                "tenant": "",
                "client": "",
                "scope": "",
                "epoch": 0,
                "authenticated_at": 0,
                "methods": NONE,
                "number": 0,
                "version": 0,
            },
        ),
        (Revocation, {"until": 0, "epoch": 0, "version": 0}),
        (StoredKey, {"version": 0}),
        (Rotation, {"every": 30 * DAY, "announce": HOUR, "keep": 25 * HOUR}),
    ],
)
def test_what_is_not_said_is_nothing(struct: type[Struct], unsaid: dict[str, Any]) -> None:
    """A token without `nbf` counts from ever; any other default would be a claim that nobody made."""
    assert {field.name: field.default for field in fields(struct) if not field.required} == unsaid


def test_the_figures_are_those_of_the_documentation() -> None:
    assert (issue.LIFETIME, revocations.LONGEST, verifier.AHEAD) == (15 * MINUTE, DAY, MINUTE)
    assert (refresh.LIFE, refresh.IDLE) == (30 * DAY, 14 * DAY)
    assert (cache.REMEMBERED, cache.ENTRIES, cache.BYTES) == (MINUTE, 10_000, 16 * 1024 * 1024)
    assert (jwks.MAX_AGE, jwks.KEPT, jwks.COOLDOWN, jwks.BUDGET) == (10 * MINUTE, DAY, 30 * SECOND, 20)
    assert jwks.DOCUMENT_BYTES == 64 * 1024
