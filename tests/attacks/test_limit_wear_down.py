"""Attack: requests that one limit denies use up another one of the victim's."""

from __future__ import annotations

from garrison.model.units import HOUR
from tests.attacks.limited import Limited


def test_what_one_limit_denies_no_other_pays_for() -> None:
    """Of fifty an hour three are spent; the thousand tries that the other limit denied cost nothing."""
    site = Limited("50/d", "at most 3 in 1h")

    assert sum(site.passes() for _ in range(200)) == 3
    passed = 3
    for _ in range(15):
        site.clock.advance(HOUR)
        passed += sum(site.passes() for _ in range(20))

    assert passed == 3 * 16
