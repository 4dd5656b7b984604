"""Row 1 of the chapter: `APIKeyManager`, played as it calls it."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.crypto.ring import KeyRing
from garrison.errors import UsageError
from garrison.handbook import APIKeyManager
from garrison.model.units import DAY, HOUR
from garrison.stores.memory.counters import MemoryCounters
from garrison.stores.memory.records import MemoryRecords
from garrison.testing.clock import START, ManualClock

ROOT = random.Random(1).randbytes(32)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def manager(clock: ManualClock) -> APIKeyManager:
    return APIKeyManager(clock=clock)


def test_the_calls_of_the_row(manager: APIKeyManager) -> None:
    key_id, key = manager.generate_api_key("reports", expires_days=30, rate_limit=2, allowed_endpoints=["/reports"])

    assert manager.validate_api_key(key) == {
        "key_id": key_id,
        "name": "reports",
        "created_at": START / 1_000_000,
        "expires_at": (START + 30 * DAY) / 1_000_000,
        "rate_limit": 2,
        "remaining_requests": 2,
        "allowed_endpoints": ["/reports"],
    }
    assert manager.check_rate_limit(key_id)
    assert [manager.track_usage(key_id, "/reports") for _ in range(3)] == [True, True, False]
    assert not manager.check_rate_limit(key_id)
    assert manager.revoke_api_key(key_id)
    assert manager.validate_api_key(key) is None


def test_the_numbers_of_the_chapter(manager: APIKeyManager, clock: ManualClock) -> None:
    """A thousand an hour, for ever, for all endpoints."""
    key_id, key = manager.generate_api_key("all")
    told = manager.validate_api_key(key)

    assert told is not None
    assert (told["rate_limit"], told["expires_at"], told["allowed_endpoints"]) == (1000, None, None)
    assert sum(manager.track_usage(key_id, f"/{number}") for number in range(1_010)) == 1_000
    clock.advance(2 * HOUR)
    assert manager.track_usage(key_id, "/")


def test_looking_spends_nothing(manager: APIKeyManager) -> None:
    key_id, key = manager.generate_api_key("one", rate_limit=1)
    for _ in range(5):
        told = manager.validate_api_key(key)
        assert told is not None
        assert told["remaining_requests"] == 1
        assert manager.check_rate_limit(key_id)

    assert manager.track_usage(key_id, "/")


def test_a_key_lives_as_many_days_as_it_was_given(manager: APIKeyManager, clock: ManualClock) -> None:
    key_id, key = manager.generate_api_key("short", expires_days=1)
    clock.advance(DAY - 1)
    assert manager.validate_api_key(key) is not None
    clock.advance(1)

    assert manager.validate_api_key(key) is None
    assert not manager.track_usage(key_id, "/")
    assert not manager.check_rate_limit(key_id)


@pytest.mark.parametrize(
    ("allowed", "endpoint", "fits"),
    [
        (["/reports"], "/reports", True),
        (["/reports"], "GET /reports", True),
        (["/reports"], "/reports/7", False),
        (["/reports/{id}"], "/reports/{id}", True),
        (["GET /reports"], "GET /reports", True),
        (["GET /reports"], "POST /reports", False),
        (["GET /reports"], "/reports", True),
        (["/a", "/b"], "/b", True),
    ],
)
def test_a_key_is_for_its_endpoints_alone(
    manager: APIKeyManager, allowed: list[str], endpoint: str, fits: bool
) -> None:
    key_id, _ = manager.generate_api_key("some", allowed_endpoints=allowed)

    assert manager.track_usage(key_id, endpoint) is fits


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"expires_days": 0}, "no time"),
        ({"expires_days": -1}, "expires_in"),
        ({"rate_limit": 0}, None),
        ({"rate_limit": -1}, "limits"),
        ({"allowed_endpoints": []}, "no endpoint"),
        ({"allowed_endpoints": ["reports"]}, "routes"),
    ],
)
def test_what_cannot_be_is_told(manager: APIKeyManager, order: dict[str, Any], told: str | None) -> None:
    """An empty list of endpoints means none, never all: the careless reading would open everything."""
    if told is None:
        key_id, _ = manager.generate_api_key(**{"name": "never", **order})
        assert not manager.track_usage(key_id, "/"), "a limit of nothing lets nothing pass"
        return
    with pytest.raises(UsageError, match=told):
        manager.generate_api_key(**{"name": "x", **order})


@given(st.text(max_size=100))
def test_no_text_is_a_key(text: str) -> None:
    assert APIKeyManager().validate_api_key(text) is None


def test_nothing_is_known_of_a_key_that_is_not_there(manager: APIKeyManager) -> None:
    assert not manager.revoke_api_key("nobody")
    assert not manager.track_usage("nobody", "/")
    assert not manager.check_rate_limit("nobody")
    assert not manager.check_rate_limit("")


def test_the_key_itself_is_nowhere(clock: ManualClock) -> None:
    records = MemoryRecords(clock, bytes(32))
    _, key = APIKeyManager(records=records, ring=KeyRing([ROOT]), clock=clock).generate_api_key("x")

    assert key.split("_")[4][:43] not in repr(records._tables)


def test_a_store_that_outlives_the_process_needs_a_ring(clock: ManualClock) -> None:
    with pytest.raises(UsageError, match="ring"):
        APIKeyManager(records=MemoryRecords(clock, bytes(32)))


def test_two_processes_over_one_store_agree_at_once(clock: ManualClock) -> None:
    """Nothing is remembered that another could have ended."""
    records, counters = MemoryRecords(clock, bytes(32)), MemoryCounters(clock)
    here, there = (
        APIKeyManager(records=records, counters=counters, ring=KeyRing([ROOT]), clock=clock) for _ in range(2)
    )
    key_id, key = here.generate_api_key("shared", rate_limit=3)
    for _ in range(3):
        assert there.validate_api_key(key) is not None
    there.revoke_api_key(key_id)

    assert here.validate_api_key(key) is None


def test_threads_spend_exactly_what_there_is(manager: APIKeyManager) -> None:
    key_id, _ = manager.generate_api_key("busy", rate_limit=50)
    with ThreadPoolExecutor(8) as pool:
        fitted = list(pool.map(lambda _: manager.track_usage(key_id, "/"), range(200)))

    assert sum(fitted) == 50


def test_awaited_it_is_the_same(manager: APIKeyManager) -> None:
    async def calls() -> tuple[Any, ...]:
        key_id, key = await manager.generate_api_key.aio("later")
        told = await manager.validate_api_key.aio(key)
        return told is not None, await manager.track_usage.aio(key_id, "/"), await manager.revoke_api_key.aio(key_id)

    assert asyncio.run(calls()) == (True, True, True)
