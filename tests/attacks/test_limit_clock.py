"""Attack: set the clock of the machine (or wait for its correction), to be forgiven or to lock others out."""

from __future__ import annotations

import pytest

from garrison.model.units import DAY, HOUR, MINUTE
from tests.attacks.limited import Limited


@pytest.mark.parametrize("step", [-400 * DAY, -HOUR, -1, 1, HOUR, 400 * DAY])
@pytest.mark.parametrize("text", ["3/h", "at most 3 in 1h", "at most 99 in 1h"])
def test_setting_the_wall_clock_changes_no_limit(text: str, step: int) -> None:
    """They follow a clock that nobody can set."""
    site = Limited(text)
    spent = sum(site.passes() for _ in range(100))
    site.clock.step(step)

    assert not site.passes()
    site.clock.advance(HOUR + 8 * MINUTE)
    assert sum(site.passes() for _ in range(100)) == spent


def test_a_calendar_limit_is_not_had_twice_by_setting_the_clock_back() -> None:
    """Nor does the wrong clock's period lock anybody out for longer than its own."""
    site = Limited("3 per calendar day")
    assert sum(site.passes() for _ in range(5)) == 3

    site.clock.step(-3 * DAY)
    assert not site.passes()
    site.clock.advance(DAY)
    assert site.passes()
