"""A path that guard and application could read in two ways is refused before it is looked up.

The guard takes `/admin/%2e%2e/health` for something harmless, a proxy or framework behind it for another route: the
classic way round a path-based gate.
"""

from __future__ import annotations

import pytest

from garrison.model.http.refusal import Refusal
from garrison.policy.load import load
from garrison.policy.plan import compile_policy

PLANS = compile_policy(
    load(
        """
        [routes]
        "GET /health" = { public = true }
        "GET /admin/{page}" = { scopes = ["admin:read"] }
        "GET /static/{rest:path}" = { public = true }
        """
    )
)
AMBIGUOUS = [
    ("/static/../admin/users", b"/static/../admin/users"),
    ("/static/../admin/users", b"/static/%2e%2e/admin/users"),
    ("/static/../admin/users", b"/static/.%2E/admin/users"),
    ("/static/../admin/users", b""),
    ("/static/./x", b"/static/./x"),
    ("/static/..", b"/static/.."),
    ("/static/a/b", b"/static/a%2fb"),
    ("/static/a/b", b"/static/a%2Fb"),
    ("/static/a\\b", b"/static/a%5cb"),
    ("/static/a\\b", b"/static/a\\b"),
    ("/static/a\\b", b""),
    ("/static/%2e%2e/x", b"/static/%252e%252e/x"),
    ("/static/%2e%2e/x", b""),
    ("/static/%2fx", b"/static/%252fx"),
    ("//static/x", b"//static/x"),
    ("/static//x", b"/static//x"),
    ("//evil.example/x", b"//evil.example/x"),
    ("/health;x=1", b"/health;x=1"),
    ("/health;x=1", b"/health%3Bx=1"),
    ("/static/x;/../y", b""),
    ("/health\x00", b"/health%00"),
    ("/health\x00.png", b""),
    ("/health\n", b"/health%0a"),
    ("/health\r\nX: y", b"/health%0d%0aX: y"),
    ("/health\x7f", b"/health%7f"),
    ("/health\x85", b"/health%C2%85"),
    ("/static/\ufffd", b"/static/%ff"),
    ("/static/\ufffd\ufffd", b"/static/%c0%af"),
    ("/static/\ufffd", b""),
    ("/static/\ud800", b""),
    ("/static/ä", b"/static/%e4"),
    ("/health", b"/admin/users"),
    ("/admin/users", b"/health"),
    ("/health", b"/HEALTH"),
    ("/health", b"/health%"),
    ("/health", b"/health%4"),
    ("/health", b"/health%4x"),
    ("health", b"health"),
    ("", b""),
    ("*", b"*"),
    ("http://api.example.com/health", b"http://api.example.com/health"),
]


@pytest.mark.parametrize(("path", "raw"), AMBIGUOUS)
def test_an_ambiguous_path_is_refused(path: str, raw: bytes) -> None:
    found = PLANS.find("GET", path, raw)

    assert isinstance(found, Refusal)
    assert (found.status, found.code) == (400, "path_ambiguous")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Health"),
        ("GET", "/health/"),
        ("GET", "/health/x"),
        ("GET", "/admin"),
        ("GET", "/admin/"),
        ("GET", "/admin/users/x"),
        ("GET", "/ｈealth"),
        ("GET", "/health%20"),
        ("GET", "/health "),
        ("GET", "/static"),
    ],
)
def test_what_only_looks_like_a_route_is_unknown(method: str, path: str) -> None:
    found = PLANS.find(method, path)

    assert isinstance(found, Refusal)
    assert found.code in ("route_unknown", "path_ambiguous")


@pytest.mark.parametrize("method", ["get", "GETX", "", "GET ", "TRACE", "CONNECT", "PROPFIND", "WS"])
def test_a_method_that_is_not_named_reaches_nothing(method: str) -> None:
    """An application that takes any method must not be reached by an unusual one (verb tampering)."""
    found = PLANS.find(method, "/health")

    assert isinstance(found, Refusal)
    assert found.code == "method_not_allowed"
    assert found.headers == ((b"allow", b"GET, HEAD"),)
