"""Headers policies: every rule with an example of both kinds, and what is compiled from them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from garrison.errors import PolicyError
from garrison.headers import HeadersPolicy, check, compile_headers, finish

RULES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("GP150", "error", "profile", {"profile": "json"}, {"profile": "docs"}),
    ("GP150", "error", "hsts", {"hsts": 60}, {"hsts": "730d"}),
    ("GP150", "error", "locked", {"locked": "yes"}, {"locked": True}),
    ("GP150", "error", "set", {"set": {"x-a": 1}}, {"set": {"x-a": "1"}}),
    ("GP150", "error", "set", {"set": None}, {}),
    ("GP151", "error", "hsts", {"hsts": "soon"}, {"hsts": "0s"}),
    ("GP151", "error", "hsts", {"hsts": "1ms"}, {"hsts": "180d"}),
    ("GP152", "error", "hsts_preload", {"hsts_preload": True, "hsts": "364d"}, {"hsts_preload": True, "hsts": "365d"}),
    ("GP152", "error", "hsts_preload", {"hsts_preload": True, "hsts_subdomains": False}, {"hsts_subdomains": False}),
    ("GP153", "warning", "hsts", {"hsts": "1d"}, {"hsts": "180d"}),
    ("GP154", "error", "csp", {"csp": "default-src 'none'\r\nx: y"}, {"csp": "frame-ancestors 'none'"}),
    ("GP154", "error", "csp", {"csp": "frame-ancestors \u2019none\u2019"}, {"csp": "frame-ancestors 'none'"}),
    ("GP155", "warning", "csp", {"csp": "default-src 'none'"}, {"csp": "frame-ancestors 'self'"}),
    (
        "GP156",
        "warning",
        "csp",
        {"csp": "script-src 'unsafe-inline'; frame-ancestors 'none'"},
        {"csp": "script-src 'unsafe-inline'; frame-ancestors 'none'", "profile": "docs"},
    ),
    ("GP157", "error", "set.x a", {"set": {"x a": "1"}}, {"set": {"x-a": "1"}}),
    ("GP157", "error", "set.", {"set": {"": "1"}}, {}),
    ("GP157", "error", "set.x-a", {"set": {"x-a": "1\n2"}}, {"set": {"X-A": "1"}}),
    ("GP158", "error", "set.Vary", {"set": {"Vary": "Accept"}}, {}),
    ("GP158", "error", "set.set-cookie", {"set": {"set-cookie": "a=b"}}, {}),
    ("GP158", "error", "set.access-control-allow-origin", {"set": {"access-control-allow-origin": "*"}}, {}),
    ("GP158", "error", "set.clear-site-data", {"set": {"clear-site-data": '"*"'}}, {}),
    (
        "GP158",
        "error",
        "set.content-security-policy",
        {"set": {"content-security-policy": "sandbox"}},
        {"set": {"content-security-policy": ""}},
    ),
    ("GP159", "warning", "set.server", {"set": {"server": "x/1.0"}}, {"set": {"server": ""}}),
]


@pytest.mark.parametrize(("rule", "severity", "place", "bad", "good"), RULES)
def test_each_rule_bites_and_lets_go(
    rule: str, severity: str, place: str, bad: dict[str, Any], good: dict[str, Any]
) -> None:
    """An error refuses to compile, a warning does not."""
    found = [problem for problem in check(HeadersPolicy(**bad), "headers.web") if problem.rule == rule]

    assert [(problem.path, problem.severity) for problem in found] == [(f"headers.web.{place}", severity)]
    assert rule not in [problem.rule for problem in check(HeadersPolicy(**good))]
    compile_headers(HeadersPolicy(**good))
    if severity == "error":
        with pytest.raises(PolicyError, match=rule):
            compile_headers(HeadersPolicy(**bad))


def test_the_default_is_for_an_api() -> None:
    """Six lines over https, and none of them for pages."""
    lines = compile_headers(HeadersPolicy()).lines(secure=True, private=True)

    assert dict(lines) == {
        b"x-content-type-options": b"nosniff",
        b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
        b"cross-origin-resource-policy": b"same-origin",
        b"referrer-policy": b"no-referrer",
        b"cache-control": b"no-store",
        b"strict-transport-security": b"max-age=63072000; includeSubDomains",
    }


def test_lines_are_made_in_advance() -> None:
    """The same tuple for every answer of a kind."""
    headers = compile_headers(HeadersPolicy())

    assert headers.lines(secure=False, private=False) is headers.lines(secure=False, private=False)


def test_hsts_stays_off_plain_http() -> None:
    """RFC 6797 section 7.2: browsers ignore it there, and it may be forged; even when set by hand."""
    for policy in (HeadersPolicy(), HeadersPolicy(set={"Strict-Transport-Security": "max-age=1"})):
        lines = dict(compile_headers(policy).lines(secure=False, private=False))

        assert b"strict-transport-security" not in lines


def test_fields_can_be_set_and_left_out() -> None:
    """An empty value removes; names have no case."""
    policy = HeadersPolicy(set={"X-A": "1", "Referrer-Policy": "", "cross-origin-resource-policy": "cross-origin"})
    lines = dict(compile_headers(policy).lines(secure=False, private=False))

    assert lines[b"x-a"] == b"1"
    assert lines[b"cross-origin-resource-policy"] == b"cross-origin"
    assert b"referrer-policy" not in lines


def test_every_source_of_a_page_is_named() -> None:
    """No place is left open for a value that nobody fills in."""
    for profile in ("api", "html", "docs"):
        for _, value in compile_headers(HeadersPolicy(profile=profile)).lines(secure=True, private=True):
            assert b"{" not in value


def test_the_application_wins_unless_locked() -> None:
    """Locked, its value is replaced where we have one, and left alone where we have none."""
    own = [(b"referrer-policy", b"origin"), (b"cache-control", b"public")]

    def finished(*, locked: bool, private: bool) -> list[bytes]:
        headers = compile_headers(HeadersPolicy(locked=locked))
        head = finish(own, headers.ending(private=private), headers.lines(secure=False, private=private))
        return [value for name, value in head if name in {b"referrer-policy", b"cache-control"}]

    assert finished(locked=False, private=True) == [b"origin", b"public"]
    assert finished(locked=True, private=True) == [b"no-referrer", b"no-store"]
    assert finished(locked=True, private=False) == [b"public", b"no-referrer"]


def test_what_tells_too_much_is_replaced_by_what_the_operator_sets() -> None:
    """Or by nothing."""
    headers = compile_headers(HeadersPolicy(set={"server": "garrison"}))
    own = [(b"server", b"x/1"), (b"x-powered-by", b"y")]

    head = finish(own, headers.ending(private=False), headers.lines(secure=False, private=False))

    assert [line for line in head if line[0] in {b"server", b"x-powered-by"}] == [(b"server", b"garrison")]


def test_a_toml_table_becomes_a_policy() -> None:
    """The names in the file are the names in Python."""
    table = {"profile": "html", "hsts": "0s", "set": {"x-a": "1"}, "locked": True}

    assert msgspec.convert(table, HeadersPolicy) == HeadersPolicy(
        profile="html", hsts="0s", set={"x-a": "1"}, locked=True
    )
