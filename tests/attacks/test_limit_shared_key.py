"""Attack: choose a name that lands in somebody else's counter, to spend it or to share it."""

from __future__ import annotations

import pytest

from garrison.limits.subject import subject_key
from tests.attacks.limited import Limited

VICTIM = "alice"
FORGED = [
    "alice|",
    "|alice",
    "alice%7C",
    "%7Calice",
    "alice#",
    "Alice",
    "alice ",
    "alice\t",
    "al|ice",
    "a" * 300,
    "#alice",
]


@pytest.mark.parametrize("forged", FORGED)
def test_no_other_name_spends_the_victims_limit(forged: str) -> None:
    """Not with the separator, its escape, spaces, case or length."""
    site = Limited("1/h per key", by=lambda connection: connection.query_params["who"])

    def passes(name: str) -> bool:
        from urllib.parse import quote

        return site.passes(path=f"/things/1?who={quote(name)}")

    assert passes(forged)
    assert passes(VICTIM)
    assert not passes(VICTIM)
    assert not passes(forged)


def test_a_name_cannot_be_the_hash_of_a_longer_one() -> None:
    """Long names are hashed; the hash is public knowledge."""
    hashed = subject_key("rule", "a" * 300)

    assert {subject_key("rule", hashed), subject_key(hashed), subject_key("", hashed)}.isdisjoint({hashed})
