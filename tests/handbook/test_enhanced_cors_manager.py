"""Row 14 of the chapter: `EnhancedCORSManager`, played as it calls it, alone and in two workers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from garrison.errors import PolicyError, UsageError
from garrison.guard.drive import drive
from garrison.handbook import EnhancedCORSManager
from garrison.handbook.enhanced_cors_manager import CORS_POLICIES
from garrison.stores.open import open_records
from garrison.stores.protocols import Query
from garrison.testing.clock import ManualClock

APP = "https://app.example.com"
NEXT = "https://next.example.com"
EVIL = "https://evil.example"
WEB = {
    "allowed_origins": [APP],
    "allowed_methods": ["PUT"],
    "allowed_headers": ["X-API-Key"],
    "allow_credentials": True,
}


@pytest.fixture
def manager() -> EnhancedCORSManager:
    manager = EnhancedCORSManager()
    assert manager.create_policy("web", WEB)
    return manager


def _ask(origin: str, method: str = "PUT", policy: str = "web") -> dict[str, Any]:
    return {"origin": origin, "method": method, "headers": ["X-API-Key"], "policy": policy}


def test_the_calls_of_the_row(manager: EnhancedCORSManager) -> None:
    """Create, ask, change, ask again."""
    assert manager.validate_origin(APP, "web")
    assert not manager.validate_origin(EVIL, "web")
    granted = manager.handle_preflight(_ask(APP))
    assert (granted["allowed"], granted["status_code"]) == (True, 204)
    assert granted["headers"]["Access-Control-Allow-Origin"] == APP
    assert manager.handle_preflight(_ask(EVIL))["status_code"] == 403

    assert manager.update_policy("web", {"allowed_origins": [NEXT]})
    assert manager.validate_origin(NEXT, "web")
    assert not manager.validate_origin(APP, "web")
    assert manager.handle_preflight(_ask(NEXT))["allowed"]


@pytest.mark.parametrize(
    "change",
    [
        {"allowed_origins": ["*"]},
        {"allowed_origins": ["null"]},
        {"allowed_origins": ["https://*.com"]},
        {"allowed_origins": ["http://app.example.com"]},
        {"allowed_origins": ["http://app.example.com"], "allow_credentials": False},
        {"allowed_origins": ["http://localhost:3000"]},
        {"allowed_headers": ["*"]},
        {"allowed_methods": ["*"]},
        {"exposed_headers": ["*"]},
        {"allowed_origins": []},
        {"allowed_origins": APP},
        {"allowed_origins": [7]},
        {"max_age": 100_000},
        {"max_age": "600"},
        {"allow_credentials": "yes"},
        {"origins": [APP]},
        {"environments": {"staging": {"allowed_origins": ["*"]}}},
        {"environments": {"test": {}}},
        {"environments": {"production": {"environments": {}}}},
    ],
)
def test_a_dangerous_or_wrong_policy_is_refused_and_the_old_one_stays(
    manager: EnhancedCORSManager, change: dict[str, Any]
) -> None:
    """In every environment it names, not only in this one."""
    assert not manager.create_policy("other", {**WEB, **change})
    assert not manager.update_policy("web", change)

    assert [problem for problem in manager.find_problems({**WEB, **change}) if problem.severity == "error"]
    assert manager.validate_origin(APP, "web")
    assert not manager.validate_origin(APP, "other")


def test_a_name_is_taken_once_and_an_unknown_one_allows_nothing(manager: EnhancedCORSManager) -> None:
    assert not manager.create_policy("web", {"allowed_origins": [EVIL]})
    assert not manager.update_policy("absent", {"max_age": 5})

    assert not manager.validate_origin(APP, "absent")
    for ask in (_ask(APP, policy="absent"), {"origin": APP, "method": "GET"}):
        assert manager.handle_preflight(ask)["reason"] == "policy"
    assert manager.handle_preflight({"policy": "web"})["status_code"] is None


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("https://aexample.com", False),
        ("https://a.example.com.evil.example", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://.example.com", False),
        ("", False),
        ("null", False),
        ("https://a.example.com\u2028", False),
    ],
)
def test_a_wildcard_stands_for_whole_labels(manager: EnhancedCORSManager, origin: str, allowed: bool) -> None:
    assert manager.update_policy("web", {"allowed_origins": ["https://*.example.com"]})

    assert manager.validate_origin(origin, "web") is allowed


def test_environments_differ_where_they_say_so() -> None:
    """One configuration, read by each worker for the place it runs in."""
    config = {**WEB, "environments": {"development": {"allowed_origins": ["http://localhost:*"], "max_age": 0}}}
    development, production = EnhancedCORSManager(environment="development"), EnhancedCORSManager()
    for manager in (development, production):
        assert manager.create_policy("web", config)

    assert [manager.validate_origin("http://localhost:5173", "web") for manager in (development, production)] == [
        True,
        False,
    ]
    assert [manager.validate_origin(APP, "web") for manager in (development, production)] == [False, True]
    ages = [
        manager.handle_preflight(_ask(origin))["headers"]["Access-Control-Max-Age"]
        for manager, origin in ((development, "http://localhost:5173"), (production, APP))
    ]
    assert ages == ["0", "600"]


def test_problems_are_told_all_at_once(manager: EnhancedCORSManager) -> None:
    """Those of the form, or those of the meaning."""
    form = manager.find_problems({"origins": [APP], "max_age": "5"})
    meaning = manager.find_problems(
        {"allowed_origins": ["*"], "allowed_headers": ["Cookie"], "allow_credentials": True}
    )

    assert {(problem.rule, problem.path) for problem in form} == {
        ("GP002", "origins"),
        ("GP003", "allowed_origins"),
        ("GP004", "max_age"),
    }
    assert [problem.path for problem in meaning] == ["production.allowed_origins[0]", "production.allowed_headers[0]"]
    assert all(problem.remedy for problem in (*form, *meaning))
    assert manager.find_problems(WEB) == ()


def test_a_change_can_be_seen_before_it_is_made(manager: EnhancedCORSManager) -> None:
    """Who would gain, who would lose; nothing happens yet."""
    change = manager.preview_update("web", {"allowed_origins": [NEXT], "max_age": 60})

    assert (change.gained, change.lost, change.fields) == ((NEXT,), (APP,), ("origins", "max_age"))
    assert manager.validate_origin(APP, "web")
    with pytest.raises(UsageError):
        manager.preview_update("absent", {})
    with pytest.raises(UsageError):
        manager.preview_update("web", {"max_age": "x"})
    with pytest.raises(PolicyError):
        manager.preview_update("web", {"allowed_origins": ["*"]})


def test_a_verdict_is_explained(manager: EnhancedCORSManager) -> None:
    assert manager.explain_request(APP, "web", "PUT", ["X-API-Key"]).allowed
    assert manager.explain_request(EVIL, "web").rule == "origin"
    assert "blocked by CORS policy" in manager.explain_request(APP, "web", "DELETE").browser
    with pytest.raises(UsageError):
        manager.explain_request(APP, "absent")


@pytest.mark.parametrize("url", ["memory:", "sqlite:policies.db"])
def test_two_workers_answer_by_one_policy_and_the_journal_knows_who_changed_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the next request on; of two changes at once one wins, the other is told."""
    monkeypatch.chdir(tmp_path)
    clock = ManualClock()
    store = open_records(url, clock, [CORS_POLICIES], b"k" * 32)
    one, two = (
        EnhancedCORSManager(records=store.driven(), clock=clock, actor=f"user:{name}") for name in ("ada", "bob")
    )
    assert one.create_policy("web", WEB)
    assert two.validate_origin(APP, "web")

    assert two.update_policy("web", {"allowed_origins": [NEXT]})

    assert [worker.validate_origin(APP, "web") for worker in (one, two)] == [False, False]
    assert [worker.validate_origin(NEXT, "web") for worker in (one, two)] == [True, True]
    assert one.update_policy("web", {"max_age": 5})
    assert not one.update_policy("web", {"allowed_origins": ["*"]})
    events = [sealed.event for sealed in drive(store.driven().read(Query(code="policy_changed")))]
    assert [(event.actor, event.subject, event.details["change"]) for event in events] == [
        ("user:ada", "cors:web", "created"),
        ("user:bob", "cors:web", "updated"),
        ("user:ada", "cors:web", "updated"),
    ]
    store.close()


class Meeting:
    """Records whose readers wait for each other, so that two changes begin from one version."""

    def __init__(self, records: Any) -> None:
        self.commit = records.commit
        self._get = records.get
        self._both = asyncio.Barrier(2)

    async def get(self, kind: Any, key: str) -> Any:
        stored = await self._get(kind, key)
        await self._both.wait()
        return stored


def test_of_two_changes_at_once_one_is_told_no(runner: asyncio.Runner) -> None:
    """A put of an old version is refused, so no change is lost unseen."""
    manager = EnhancedCORSManager()
    manager.create_policy("web", WEB)

    async def play() -> list[bool]:
        manager.records = cast("Any", Meeting(manager.records))
        changes = [manager.update_policy.aio("web", {"allowed_origins": [origin]}) for origin in (NEXT, EVIL)]
        return await asyncio.gather(*changes)

    assert sorted(runner.run(play())) == [False, True]


def test_it_is_awaited_as_well(runner: asyncio.Runner) -> None:
    manager = EnhancedCORSManager()

    async def play() -> list[bool]:
        return [
            await manager.create_policy.aio("web", WEB),
            await manager.validate_origin.aio(APP, "web"),
            await manager.update_policy.aio("web", {"allowed_origins": [NEXT]}),
            (await manager.handle_preflight.aio(_ask(NEXT)))["allowed"],
        ]

    assert runner.run(play()) == [True] * 4
