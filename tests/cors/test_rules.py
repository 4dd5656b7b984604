"""Every rule of a CORS policy, each with an example that breaks it and one that holds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from garrison.cors import CorsPolicy, check, compile_cors, suffix
from garrison.errors import PolicyError

APP = "https://app.example.com"


def policy(**changes: Any) -> CorsPolicy:
    return CorsPolicy(**{"origins": (APP,), **changes})


RULES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    # rule, place, what breaks it, what holds it
    ("GP101", "origins", {"origins": ()}, {}),
    ("GP102", "origins", {"origins": APP}, {"origins": (APP,)}),
    ("GP102", "origins", {"origins": [APP]}, {"origins": (APP,)}),
    ("GP102", "methods", {"methods": None}, {"methods": ("PUT",)}),
    ("GP102", "headers[1]", {"headers": ("x-a", 5)}, {"headers": ("x-a",)}),
    ("GP102", "credentials", {"credentials": "true"}, {"credentials": True}),
    ("GP102", "max_age", {"max_age": 600}, {"max_age": "10m"}),
    ("GP102", "dangerously_allow_insecure_origins", {"dangerously_allow_insecure_origins": 1}, {}),
    ("GP103", "origins[0]", {"origins": ("*",), "credentials": True}, {"origins": ("*",)}),
    ("GP103", "origins[1]", {"origins": (APP, "*"), "credentials": True}, {"origins": ("*",)}),
    ("GP104", "origins[0]", {"origins": ("null",)}, {}),
    ("GP105", "origins[0]", {"origins": ("app.example.com",)}, {}),
    ("GP106", "origins[0]", {"origins": (APP + "/",)}, {}),
    ("GP107", "origins[0]", {"origins": (APP + " ",)}, {}),
    ("GP108", "origins[0]", {"origins": ("https://b\u00fccher.example",)}, {}),
    ("GP109", "origins[0]", {"origins": ("https://a..example",)}, {}),
    ("GP110", "origins[0]", {"origins": (APP + ":443",)}, {"origins": (APP + ":8443",)}),
    ("GP111", "origins[0]", {"origins": ("https://127.1",)}, {"origins": ("https://192.0.2.10",)}),
    ("GP112", "origins[0]", {"origins": ("https://example.*",)}, {"origins": ("https://*.example.com",)}),
    ("GP113", "origins[0]", {"origins": ("https://.*",)}, {"origins": ("https://*.example.com",)}),
    (
        "GP114",
        "origins[0]",
        {"origins": ("http://a.example",), "credentials": True},
        {"origins": ("http://localhost",)},
    ),
    (
        "GP114",
        "origins[0]",
        {"origins": ("http://localhost.evil.example",), "credentials": True},
        {"origins": ("http://app.localhost:*", "http://[::1]:*", "http://127.0.0.1:*"), "credentials": True},
    ),
    (
        "GP114",
        "origins[0]",
        {"origins": ("http://a.example",), "credentials": True},
        {"origins": ("http://a.example",), "credentials": True, "dangerously_allow_insecure_origins": True},
    ),
    (
        "GP115",
        "origins[0]",
        {"origins": ("https://*.co.uk",), "credentials": True},
        {"origins": ("https://*.example.co.uk",), "credentials": True},
    ),
    (
        "GP115",
        "origins[0]",
        {"origins": ("https://*.amazonaws.com",), "credentials": True},
        {"origins": ("https://shop.s3.amazonaws.com",), "credentials": True},
    ),
    ("GP115", "origins[0]", {"origins": ("https://*.com",)}, {"origins": ("*",)}),
    ("GP115", "origins[0]", {"origins": ("https://*.co.uk",)}, {"origins": ("https://*.example.co.uk",)}),
    ("GP115", "origins[0]", {"origins": ("https://*.github.io:*",)}, {"origins": ("http://*.localhost:*",)}),
    (
        "GP115",
        "origins[0]",
        {"origins": ("https://*.github.io",)},
        {"origins": ("https://*.github.io",), "dangerously_allow_public_suffix_subdomains": True},
    ),
    (
        "GP115",
        "origins[0]",
        {"origins": ("https://*.github.io",), "credentials": True},
        {
            "origins": ("https://*.github.io",),
            "credentials": True,
            "dangerously_allow_public_suffix_subdomains": True,
        },
    ),
    ("GP116", "methods[0]", {"methods": ("GET POST",)}, {"methods": ("GET", "POST")}),
    ("GP116", "methods[0]", {"methods": ("TRACE",)}, {"methods": ("PURGE",)}),
    ("GP116", "methods[0]", {"methods": ("connect",)}, {"methods": ("*",)}),
    ("GP116", "methods[1]", {"methods": ("PUT", "patch")}, {"methods": ("PUT", "PATCH")}),
    ("GP117", "headers[0]", {"headers": ("X Token",)}, {"headers": ("X-Token",)}),
    ("GP117", "headers[0]", {"headers": ("t\u00f6ken",)}, {"headers": ("*",)}),
    ("GP117", "headers[0]", {"headers": ("Cookie",)}, {"headers": ("Authorization",)}),
    ("GP117", "headers[0]", {"headers": ("Sec-Fetch-Site",)}, {"headers": ("Security",)}),
    ("GP117", "headers[0]", {"headers": ("Access-Control-Allow-Origin",)}, {"headers": ("Content-Type",)}),
    ("GP118", "expose[0]", {"expose": ("X Id",)}, {"expose": ("X-Id",)}),
    ("GP118", "expose[0]", {"expose": ("Set-Cookie",)}, {"expose": ("*",)}),
    ("GP118", "expose[0]", {"expose": ("Authorization",)}, {"expose": ("ETag",)}),
    ("GP118", "expose[0]", {"expose": ("Access-Control-Max-Age",)}, {"expose": ("Retry-After",)}),
    ("GP119", "expose[0]", {"expose": ("*",), "credentials": True}, {"expose": ("*",)}),
    ("GP120", "max_age", {"max_age": "soon"}, {"max_age": "0s"}),
    ("GP120", "max_age", {"max_age": "-1s"}, {"max_age": "2h"}),
    ("GP120", "max_age", {"max_age": "1ms"}, {"max_age": "1s"}),
    ("GP120", "max_age", {"max_age": "25h"}, {"max_age": "24h"}),
    (
        "GP121",
        "headers",
        {"headers": tuple(f"x-{number}" for number in range(129))},
        {"headers": tuple(f"x-{number}" for number in range(128))},
    ),
    ("GP121", "headers", {"headers": ("x" * 2_049,)}, {"headers": ("x" * 2_048,)}),
]

WARNINGS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("GP131", "origins[1]", {"origins": (APP, APP)}, {}),
    ("GP131", "origins[0]", {"origins": (APP, "https://*.example.com")}, {"origins": ("https://*.example.com",)}),
    ("GP131", "origins[0]", {"origins": (APP, "*")}, {"origins": ("*",)}),
    ("GP131", "headers[1]", {"headers": ("X-A", "x-a")}, {"headers": ("X-A", "x-b")}),
    ("GP137", "max_age", {"max_age": "3h"}, {"max_age": "2h"}),
    ("GP138", "origins[0]", {"origins": ("http://a.example",)}, {"origins": ("http://localhost:3000",)}),
    ("GP139", "dangerously_allow_insecure_origins", {"dangerously_allow_insecure_origins": True}, {}),
    ("GP140", "dangerously_allow_public_suffix_subdomains", {"dangerously_allow_public_suffix_subdomains": True}, {}),
    ("GP141", "private_network", {"private_network": True}, {}),
    ("GP143", "origins[0]", {"origins": ("htps://a.example",)}, {"origins": ("capacitor://localhost",)}),
    ("GP143", "origins[0]", {"origins": ("gopher://a.example",)}, {"origins": ("moz-extension://4ad1b0cb",)}),
    ("GP142", "methods[0]", {"methods": ("*",), "credentials": True}, {"methods": ("*",)}),
    ("GP142", "headers[0]", {"headers": ("*",), "credentials": True}, {"headers": ("*",)}),
]


def _id(case: tuple[str, str, dict[str, Any], dict[str, Any]]) -> str:
    return f"{case[0]}-{case[2]}"[:60]


@pytest.mark.parametrize(("rule", "place", "bad", "good"), RULES, ids=map(_id, RULES))
def test_an_error_refuses_the_policy(rule: str, place: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """The number, the place and what to do; and the sound example raises nothing of the kind."""
    found = [problem for problem in check(policy(**bad), "cors.web") if problem.rule == rule]

    assert [(problem.path, problem.severity) for problem in found] == [(f"cors.web.{place}", "error")]
    assert found[0].remedy
    assert rule not in [problem.rule for problem in check(policy(**good))]
    with pytest.raises(PolicyError, match=rule):
        compile_cors(policy(**bad))
    compile_cors(policy(**good))


@pytest.mark.parametrize(("rule", "place", "bad", "good"), WARNINGS, ids=map(_id, WARNINGS))
def test_a_warning_lets_it_pass(rule: str, place: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """What weakens is said, and stays said."""
    found = [problem for problem in check(policy(**bad)) if problem.rule == rule]

    assert [(problem.path, problem.severity) for problem in found] == [(f"cors.{place}", "warning")]
    assert rule not in [problem.rule for problem in check(policy(**good))]
    compile_cors(policy(**bad))


def test_every_mistake_is_reported_at_once() -> None:
    """One run is enough to mend the file."""
    bad = policy(origins=("null", "https://a.example/"), methods=("trace",), expose=("Set-Cookie",), max_age="soon")

    assert [problem.rule for problem in check(bad)] == ["GP104", "GP106", "GP116", "GP118", "GP120"]


def test_a_wrong_type_hides_no_other_mistake() -> None:
    bad = policy(origins=(3, "https://a.example/"), methods="GET", headers=("x y", 5), credentials="yes", max_age=600)

    assert [(problem.rule, problem.path) for problem in check(bad)] == [
        ("GP102", "cors.origins[0]"),
        ("GP102", "cors.methods"),
        ("GP102", "cors.headers[1]"),
        ("GP102", "cors.max_age"),
        ("GP102", "cors.credentials"),
        ("GP106", "cors.origins[1]"),
        ("GP117", "cors.headers[0]"),
    ]


def test_a_sound_policy_has_no_problems() -> None:
    """The example of the docs."""
    sound = policy(methods=("PUT", "DELETE"), headers=("Authorization", "Content-Type"), credentials=True)

    assert check(sound) == ()


def test_a_policy_is_keyword_only_and_frozen() -> None:
    """Lists of origins and methods must not be mixed up by position, nor change behind a compiled policy."""
    with pytest.raises(TypeError):
        CorsPolicy((APP,))  # type: ignore[call-arg]  # the mistake under test
    with pytest.raises(AttributeError):
        policy().origins = ("*",)  # type: ignore[misc]  # the mistake under test


def test_a_toml_table_becomes_a_policy() -> None:
    """The names in the file are the names in Python."""
    table = {"origins": [APP], "methods": ["PUT"], "headers": ["X-A"], "credentials": True, "max_age": "10m"}

    loaded = msgspec.convert(table, CorsPolicy)

    assert loaded == policy(methods=("PUT",), headers=("X-A",), credentials=True)


def test_many_origins_are_checked_in_one_pass() -> None:
    """Quadratic checks would make a live update of a large list stall the service."""
    many = policy(origins=tuple(f"https://t{number}.example.com" for number in range(20_000)), credentials=True)

    assert check(many) == ()


@pytest.fixture
def _without_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    suffix._known.cache_clear()
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    yield
    suffix._known.cache_clear()


@pytest.mark.usefixtures("_without_list")
@pytest.mark.parametrize("credentials", [True, False])
def test_without_the_list_a_pattern_is_refused(credentials: bool) -> None:
    """Unknown is refused: the name may belong to everybody. A single label needs no list."""
    unknown = policy(origins=("https://*.example.com", "https://*.com"), credentials=credentials)

    assert [problem.rule for problem in check(unknown)] == ["GP122", "GP115"]


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("com", True),
        ("internal", True),
        ("co.uk", True),
        ("github.io", True),
        ("amazonaws.com", True),
        ("kawasaki.jp", True),
        ("anything.kawasaki.jp", True),
        ("city.kawasaki.jp", False),
        ("anything.ck", True),
        ("www.ck", False),
        ("xn--55qx5d.cn", True),
        ("example.com", False),
        ("bbc.co.uk", False),
        ("xn--a.example.com", False),
    ],
)
def test_reads_the_public_suffix_list(name: str, public: bool) -> None:
    """Plain, wildcard and exception rules, Unicode rules asked in ASCII, and names above a suffix."""
    assert suffix.is_public(name) is public
