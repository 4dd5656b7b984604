"""Whose tokens are believed, as the policy's `[jwt]` says."""

from __future__ import annotations

import os

import pytest

from garrison.errors import TokenError
from garrison.guard.drive import drive
from garrison.model.units import DAY, HOUR
from garrison.policy.load import load
from garrison.runtime.compose import compose
from garrison.testing.clock import ManualClock

POLICY = """
service = "tasks"

[jwt]
algorithm = "ES256"
access = "7d"

[routes]
"GET /tasks" = { scopes = [] }
"""


def test_a_retired_key_is_trusted_for_as_long_as_its_last_token_lives() -> None:
    """With tokens of a week, a key that is forgotten after a day takes six days of logins with it."""
    clock = ManualClock()
    runtime = compose(load(POLICY, "development"), clock=clock)
    trust = runtime.driven_side.trust
    signing = trust.signing
    assert signing is not None

    def turn() -> str:
        while drive(signing.advance(clock.wall(), os.urandom)):
            pass
        return signing.keys.signer().kid

    clock.advance(30 * DAY - HOUR)
    first = turn()
    token = trust.issuer.issue("ada", clock.wall(), os.urandom).token
    clock.advance(HOUR)
    assert turn() != first
    clock.advance(7 * DAY - 2 * HOUR)
    turn()

    assert drive(trust.checker.check(token, clock.wall(), clock.monotonic())).sub == "ada"
    clock.advance(DAY)
    turn()
    assert first not in signing.keys
    with pytest.raises(TokenError):
        drive(trust.checker.check(token, clock.wall(), clock.monotonic()))
    runtime.close()
