"""Row 9 of the chapter: `CORSManager`, its policies and its middleware, played as it calls them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from garrison.errors import PolicyError, UsageError
from garrison.handbook import (
    CORSManager,
    CORSPolicy,
    CORSSecurityMiddleware,
    development_policy,
    production_policy,
    public_policy,
)

APP = "https://app.example.com"
EVIL = "https://evil.example"
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def manager() -> CORSManager:
    manager = CORSManager()
    manager.add_policy("web", manager.create_secure_policy([APP], allow_credentials=True))
    manager.add_policy("public", public_policy())
    manager.set_default_policy("web")
    return manager


def test_the_calls_of_the_row(manager: CORSManager) -> None:
    """Add, choose, ask before, ask."""
    granted = manager.handle_preflight_request(APP, "PUT", ["Content-Type", "X-API-Key"])
    assert (granted["allowed"], granted["status_code"], granted["reason"]) == (True, 204, "")
    assert granted["headers"][ALLOW] == APP
    assert granted["headers"]["Access-Control-Allow-Credentials"] == "true"
    assert granted["headers"]["Access-Control-Max-Age"] == "86400"
    assert "PUT" in granted["headers"]["Access-Control-Allow-Methods"]

    actual = manager.handle_actual_request(APP)
    assert (actual["allowed"], actual["status_code"], actual["headers"][ALLOW]) == (True, None, APP)
    assert actual["headers"]["Vary"] == "Origin"
    assert manager.handle_actual_request(EVIL, policy_name="public")["headers"][ALLOW] == "*"


@pytest.mark.parametrize(
    ("origin", "method", "headers", "reason"),
    [
        (EVIL, "GET", [], "origin"),
        ("null", "GET", [], "null"),
        (f"{APP}, {EVIL}", "GET", [], "several"),
        (f"{APP}.evil.example", "GET", [], "origin"),
        ("https://APP.example.com", "GET", [], "malformed"),
        (APP, "TRACE", [], "method"),
        (APP, "put", [], "method"),
        (APP, "PUT", ["X-Debug"], "header"),
        (APP, "PUT", "content-type,x-debug", "header"),
        ("https://app.example.com\u0130", "GET", [], "malformed"),
    ],
)
def test_a_refused_preflight_is_403_and_tells_nothing(
    manager: CORSManager, origin: str, method: str, headers: Any, reason: str
) -> None:
    refused = manager.handle_preflight_request(origin, method, headers)

    assert (refused["allowed"], refused["status_code"], refused["reason"]) == (False, 403, reason)
    assert not [name for name in refused["headers"] if name.startswith("Access-Control")]


def test_a_refused_page_gets_no_cors_headers(manager: CORSManager) -> None:
    """Its browser then keeps the answer from it; caches still learn that the answer depends on the origin."""
    refused = manager.handle_actual_request(EVIL)

    assert (refused["allowed"], refused["headers"]) == (False, {"Vary": "Origin"})


@pytest.mark.parametrize("origin", [None, ""])
def test_without_an_origin_there_is_no_verdict(manager: CORSManager, origin: str | None) -> None:
    """A command line, a server, a page of the same origin: they ask for nothing."""
    assert manager.handle_actual_request(origin) == manager.handle_preflight_request(origin, "GET", [])
    assert manager.handle_actual_request(origin) == {
        "allowed": True,
        "status_code": None,
        "headers": {"Vary": "Origin"},
        "reason": "",
    }


def test_without_a_policy_nothing_is_allowed() -> None:
    """And a name that nobody added is a mistake of the program, not of the page."""
    manager = CORSManager()

    assert manager.handle_preflight_request(APP, "GET", [])["reason"] == "policy"
    assert manager.handle_actual_request(APP) == {
        "allowed": False,
        "status_code": None,
        "headers": {},
        "reason": "policy",
    }
    assert manager.handle_actual_request(None)["allowed"]
    for ask in (manager.set_default_policy, lambda name: manager.handle_actual_request(APP, name)):
        with pytest.raises(UsageError):
            ask("absent")


def test_a_secure_policy_drops_what_is_unsafe() -> None:
    """Each one has opened some API."""
    hostile: list[Any] = [
        "*",
        "null",
        "http://app.example.com",
        "https://*.com",
        "https://*",
        "app.example.com",
        f"{APP}/",
        ".*",
        "https://app.example.com:443",
        7,
        APP,
        APP,
        "https://*.example.com",
        "http://localhost:3000",
    ]
    for credentials in (False, True):
        policy = CORSManager().create_secure_policy(hostile, credentials)

        assert policy.allowed_origins == (APP, "https://*.example.com", "http://localhost:3000")
        assert (policy.max_age, policy.allow_credentials) == (86_400, credentials)
        assert isinstance(policy, CORSPolicy)


def test_a_wrong_policy_is_refused_with_every_mistake_in_the_words_of_the_chapter() -> None:
    """One run is enough to mend it."""
    wrong = CORSPolicy(["*", "example.com"], ["get"], ["Cookie"], ["Set-Cookie"], True, -1)

    with pytest.raises(PolicyError) as caught:
        CORSManager().add_policy("web", wrong)

    assert {problem.path for problem in caught.value.problems} == {
        "web.allowed_origins[0]",
        "web.allowed_origins[1]",
        "web.allowed_methods[0]",
        "web.allowed_headers[0]",
        "web.exposed_headers[0]",
        "web.max_age",
    }


@pytest.mark.parametrize("origins", [APP, "*", []])
def test_a_bare_text_is_not_read_letter_by_letter(origins: Any) -> None:
    with pytest.raises(PolicyError):
        CORSManager().set_default_policy(CORSPolicy(origins, [], [], [], False, 60))


def test_three_policies_are_ready_made() -> None:
    """Development: this machine alone; production: yours; public: everybody, without credentials."""
    manager = CORSManager()
    manager.add_policy("development", development_policy())
    manager.add_policy("production", production_policy([APP]))
    manager.add_policy("public", public_policy())

    def allowed(origin: str) -> list[bool]:
        return [
            manager.handle_actual_request(origin, name)["allowed"] for name in ("development", "production", "public")
        ]

    assert allowed("http://localhost:5173") == allowed("http://[::1]:8000") == [True, False, True]
    assert allowed(APP) == [False, True, True]
    assert allowed(EVIL) == [False, False, True]
    assert "Access-Control-Allow-Credentials" not in manager.handle_actual_request(APP, "public")["headers"]
    assert not manager.handle_preflight_request(EVIL, "DELETE", [], "public")["allowed"]
    assert not manager.handle_preflight_request(EVIL, "POST", ["Authorization"], "public")["allowed"]
    with pytest.raises(PolicyError):
        manager.add_policy("production", production_policy(["http://app.example.com"]))


def _request(method: str, **headers: str) -> dict[str, Any]:
    return {"method": method, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}


def test_the_middleware_answers_preflights_and_lets_others_pass(manager: CORSManager) -> None:
    """Names of fields in any case."""
    middleware = CORSSecurityMiddleware(manager)
    asked = _request(
        "OPTIONS", ORIGIN=APP, access_control_request_method="PUT", Access_Control_Request_Headers="x-api-key"
    )

    assert middleware.process_request(asked)["status_code"] == 204
    asked["headers"]["ORIGIN"] = EVIL
    assert middleware.process_request(asked)["status_code"] == 403
    assert middleware.process_request(_request("OPTIONS", Origin=APP))["status_code"] is None
    assert middleware.process_request(_request("GET", Origin=EVIL, Cookie="s=1"))["status_code"] is None
    assert middleware.process_request(_request("GET"), "public")["headers"][ALLOW] == "*"
    assert middleware.process_request({"method": "GET"})["allowed"]


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Origin": EVIL, "Cookie": "s=1"}, 403, "origin_untrusted"),
        ({"Origin": "null", "Cookie": "s=1"}, 403, "origin_null"),
        ({"Origin": EVIL, "Authorization": "Basic YTpi"}, 403, "origin_untrusted"),
        ({"Cookie": "s=1"}, 403, "no_evidence"),
        ({"Cookie": "s=1", "Sec-Fetch-Site": "same-site"}, 403, "site_untrusted"),
        ({"Cookie": "s=1", "Sec-Fetch-Site": "same-origin"}, None, ""),
        ({"Origin": APP, "Cookie": "s=1"}, None, ""),
        ({"Origin": "https://api.example.com", "Cookie": "s=1"}, None, "origin"),
        ({"Origin": EVIL, "Authorization": "Bearer x"}, None, "origin"),
        ({"Origin": APP, "origin": EVIL, "Cookie": "s=1"}, 403, "origin_untrusted"),
    ],
)
def test_a_cross_site_write_is_403(
    manager: CORSManager, headers: dict[str, str], status: int | None, reason: str
) -> None:
    """CORS alone only keeps the answer from the page; the write would have happened. The service's own pages may
    write though CORS has nothing for them, and a token was not sent by the browser on its own."""
    middleware = CORSSecurityMiddleware(manager, served=["https://api.example.com"])

    for method in ("POST", "DELETE", ""):
        judged = middleware.process_request({"method": method, "headers": headers})
        assert (judged["status_code"], judged["reason"]) == (status, reason)


def test_an_origin_without_credentials_may_not_write_with_a_cookie(manager: CORSManager) -> None:
    """A policy for public data trusts nobody."""
    middleware = CORSSecurityMiddleware(manager)

    assert middleware.process_request(_request("POST", Origin=APP, Cookie="s=1"), "public")["status_code"] == 403


def test_a_star_is_not_the_service() -> None:
    with pytest.raises(PolicyError):
        CORSSecurityMiddleware(CORSManager(), served=["*"])


def test_it_is_awaited_as_well(manager: CORSManager, runner: asyncio.Runner) -> None:
    """The same policies."""
    middleware = CORSSecurityMiddleware(manager)

    async def play() -> list[bool]:
        await manager.add_policy.aio("late", public_policy())
        answers = [
            await manager.handle_actual_request.aio(EVIL, "late"),
            await manager.handle_preflight_request.aio(EVIL, "PUT", [], "late"),
            await middleware.process_request.aio(_request("GET", Origin=APP)),
        ]
        return [answer["allowed"] for answer in answers]

    assert runner.run(play()) == [True, False, True]
