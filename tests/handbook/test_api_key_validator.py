"""Row 2 of the chapter: `SecureAPIKeyValidator`, played as it calls it."""

from __future__ import annotations

import asyncio

import pytest

from garrison.handbook import APIKeyManager, SecureAPIKeyValidator
from garrison.model.units import MINUTE
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing.clock import ManualClock

ADDRESS = "203.0.113.7"
WRONG = "grsn_sk_live_" + "0" * 40


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def validator(clock: ManualClock) -> SecureAPIKeyValidator:
    counters = MemoryCounters(clock)
    return SecureAPIKeyValidator(manager=APIKeyManager(clock=clock, counters=counters), counters=counters)


def _reasons(validator: SecureAPIKeyValidator, times: int, key: str = WRONG, address: str = ADDRESS) -> list[str]:
    return [validator.validate_with_security_checks(key, address, "/")["reason"] for _ in range(times)]


def test_the_call_of_the_row(validator: SecureAPIKeyValidator) -> None:
    key_id, key = validator.manager.generate_api_key("x", rate_limit=1, allowed_endpoints=["/reports"])

    told = validator.validate_with_security_checks(key, ADDRESS, "/reports")

    assert (told["valid"], told["reason"], told["retry_after"]) == (True, "", 0)
    assert told["key_info"]["key_id"] == key_id
    assert validator.validate_with_security_checks(key, ADDRESS, "/reports")["reason"] == "limit"


def test_another_endpoint_is_refused_and_spends_nothing(validator: SecureAPIKeyValidator) -> None:
    _, key = validator.manager.generate_api_key("x", rate_limit=1, allowed_endpoints=["/reports"])

    assert validator.validate_with_security_checks(key, ADDRESS, "/admin")["reason"] == "endpoint"
    assert validator.validate_with_security_checks(key, ADDRESS, "/reports")["valid"]


@pytest.mark.parametrize("key", ["", "x" * 19, "x" * 20, "x" * 513, "é" * 30, "a b" * 10, "x" * 20 + "\n"])
def test_what_is_no_key_is_invalid(validator: SecureAPIKeyValidator, key: str) -> None:
    """At least 20 characters of `[A-Za-z0-9_-]`; all that fails is told alike."""
    assert validator.validate_with_security_checks(key, ADDRESS, "/") == {
        "valid": False,
        "reason": "invalid",
        "retry_after": 0,
        "key_info": None,
    }


def test_over_ten_failures_in_a_quarter_of_an_hour_block_the_address(
    validator: SecureAPIKeyValidator, clock: ManualClock
) -> None:
    """Exactly: the block ends when the first failure is fifteen minutes old, and not before."""
    _, key = validator.manager.generate_api_key("good")
    assert _reasons(validator, 12) == ["invalid"] * 10 + ["blocked"] * 2
    assert _reasons(validator, 1, key) == ["blocked"], "a good key does not open a blocked address"

    told = validator.validate_with_security_checks(key, ADDRESS, "/")
    assert told["retry_after"] == 15 * 60
    clock.advance(15 * MINUTE - 1)
    assert _reasons(validator, 1, key) == ["blocked"]
    clock.advance(1)
    assert _reasons(validator, 1, key) == [""]


def test_others_are_not_blocked_and_one_network_is_one_address(validator: SecureAPIKeyValidator) -> None:
    """Whoever has one IPv6 address has 2**64 of them."""
    _reasons(validator, 11, address="2001:db8::1")
    _, key = validator.manager.generate_api_key("good")

    assert _reasons(validator, 1, key, "2001:db8::ffff") == ["blocked"]
    assert _reasons(validator, 1, key, "2001:db8:0:1::1") == [""]
    assert _reasons(validator, 1, key, ADDRESS) == [""]


def test_successes_do_not_count_and_do_not_forgive(validator: SecureAPIKeyValidator) -> None:
    _, key = validator.manager.generate_api_key("good", rate_limit=100)
    for _ in range(10):
        assert _reasons(validator, 1, key) == [""]
        assert _reasons(validator, 1) == ["invalid"]

    assert _reasons(validator, 1, key) == ["blocked"]


def test_it_works_with_nothing_given_and_awaited() -> None:
    validator = SecureAPIKeyValidator()

    told = asyncio.run(validator.validate_with_security_checks.aio(WRONG, "", "/"))

    assert told["reason"] == "invalid"
