"""The chapter's DDoS protection, as its row says it."""

from __future__ import annotations

import asyncio

import pytest

from garrison.handbook import DDoSProtection
from garrison.model.units import HOUR, MINUTE
from garrison.stores.memory.counters import MemoryCounters
from garrison.testing import ManualClock

PEER, OTHER = "198.51.100.7", "198.51.100.8"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def protection(clock: ManualClock) -> DDoSProtection:
    return DDoSProtection(counters=MemoryCounters(clock))


@pytest.mark.parametrize(
    ("endpoint", "agent", "suspicion", "reasons"),
    [
        ("/api/tasks", BROWSER, "low", []),
        ("/login", BROWSER, "medium", ["sensitive"]),
        ("/Admin/users", BROWSER, "medium", ["sensitive"]),
        ("/api/tasks", "", "medium", ["no user agent"]),
        ("/api/tasks", None, "medium", ["no user agent"]),
        ("/.env", BROWSER, "high", ["honeypot"]),
        ("/api/tasks", "sqlmap/1.8#stable", "high", ["scanner"]),
        ("/.ENV", "Nikto", "high", ["honeypot", "scanner"]),
    ],
)
def test_path_and_agent_earn_a_level(
    protection: DDoSProtection, endpoint: str, agent: str | None, suspicion: str, reasons: list[str]
) -> None:
    told = protection.analyze_request_pattern(PEER, endpoint, agent)

    assert told == {
        "allowed": True,
        "suspicion": suspicion,
        "reasons": reasons,
        "blocked": False,
        "retry_after": 0,
    }


@pytest.mark.parametrize(("endpoint", "most", "wait"), [("/api/tasks", 100, 1), ("/login", 50, 60), ("/.env", 10, 60)])
def test_each_level_has_its_limit(
    protection: DDoSProtection, clock: ManualClock, endpoint: str, most: int, wait: int
) -> None:
    told = [protection.analyze_request_pattern(PEER, endpoint, BROWSER) for _ in range(most + 1)]

    assert [each["allowed"] for each in told] == [True] * most + [False]
    assert told[-1]["retry_after"] == wait
    assert protection.analyze_request_pattern(OTHER, endpoint, BROWSER)["allowed"]
    clock.advance(MINUTE)
    assert protection.analyze_request_pattern(PEER, endpoint, BROWSER)["allowed"]


def test_more_than_ten_violations_in_an_hour_shut_the_network_out(
    protection: DDoSProtection, clock: ManualClock
) -> None:
    for _ in range(10 + 10):
        protection.analyze_request_pattern(PEER, "/.env", BROWSER)
    assert protection.analyze_request_pattern(PEER, "/api/tasks", BROWSER)["allowed"]
    protection.analyze_request_pattern(PEER, "/.env", BROWSER)

    told = protection.analyze_request_pattern(PEER, "/api/tasks", BROWSER)
    assert (told["allowed"], told["blocked"], told["retry_after"]) == (False, True, 3600)
    assert protection.analyze_request_pattern(OTHER, "/api/tasks", BROWSER)["allowed"]
    clock.advance(HOUR)
    assert protection.analyze_request_pattern(PEER, "/api/tasks", BROWSER)["allowed"]


def test_it_may_be_awaited(protection: DDoSProtection) -> None:
    told = asyncio.run(protection.analyze_request_pattern.aio(PEER, "/", BROWSER))

    assert told["allowed"]
