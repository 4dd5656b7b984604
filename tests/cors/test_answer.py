"""The compiled policy: what is granted, what a preflight is told, and what is remembered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.cors import Cors, CorsPolicy, compile_cors, joined
from garrison.cors.answer import LIMITED, PREFLIGHT_VARY, VARY
from garrison.cors.rules import LONGEST_ASK, MOST_ASKED

APP = "https://app.example.com"
ORIGIN = APP.encode()
ACAO, ACAC = b"access-control-allow-origin", (b"access-control-allow-credentials", b"true")
ACAM, ACAH = b"access-control-allow-methods", b"access-control-allow-headers"
EXPOSE = b"access-control-expose-headers"


def compiled(*, debug: bool = False, **changes: Any) -> Cors:
    return compile_cors(CorsPolicy(**{"origins": (APP,), **changes}), debug=debug)


def test_a_listed_origin_gets_exactly_its_lines() -> None:
    """And the same object again the second time: nothing is made per request."""
    cors = compiled(credentials=True, expose=("X-Id",))

    lines = cors.grant(ORIGIN)

    assert lines == ((ACAO, ORIGIN), ACAC, (EXPOSE, b"X-Id"), VARY)
    assert cors.grant(ORIGIN) is lines


@pytest.mark.parametrize("origin", [None, b"https://evil.example", b"null", b""])
def test_everybody_else_gets_vary_alone(origin: bytes | None) -> None:
    """The refusal is cached like any answer, so it must say what it depends on."""
    assert compiled(credentials=True).grant(origin) == (VARY,)


@pytest.mark.parametrize("origin", [None, b"https://evil.example", b"null"])
def test_public_data_has_one_answer_for_all(origin: bytes | None) -> None:
    """A constant needs no Vary, so that caches keep one copy."""
    cors = compiled(origins=("*",), expose=("*",))

    assert cors.grant(origin) == ((ACAO, b"*"), (EXPOSE, b"*"))


def test_a_public_preflight_is_the_same_for_all() -> None:
    """`*` again, and no origin written back."""
    assert compiled(origins=("*",)).preflight(b"https://any.example", b"GET").headers[0] == (ACAO, b"*")


def test_a_limited_answer_exposes_what_a_page_needs_to_wait() -> None:
    """Retry-After is not on Fetch's safelist; listed once if the policy names it already."""
    cors = compiled(expose=("Retry-After",))

    assert dict(cors.grant(ORIGIN, limited=True))[EXPOSE] == b"Retry-After, " + b", ".join(LIMITED[1:])
    assert dict(cors.grant(ORIGIN))[EXPOSE] == b"Retry-After"
    assert dict(compiled(origins=("*",)).grant(None, limited=True))[EXPOSE] == b", ".join(LIMITED)
    assert dict(compiled(origins=("*",), expose=("*",)).grant(None, limited=True))[EXPOSE] == b"*"


def test_trust_needs_credentials() -> None:
    """An origin that may read without cookies may not write with them."""
    assert (compiled().allows(ORIGIN), compiled().trusts(ORIGIN)) == (True, False)
    assert compiled(credentials=True).trusts(ORIGIN)
    assert not compiled(credentials=True).trusts(None)
    assert not compiled(credentials=True).trusts(b"https://evil.example")


def test_a_granted_preflight_lists_the_policy() -> None:
    """Static lists make the best use of the browser's preflight cache."""
    cors = compiled(methods=("PUT", "DELETE"), headers=("Authorization", "X-A"), credentials=True, max_age="0s")

    answer = cors.preflight(ORIGIN, b"PUT", b"x-a")

    assert (answer.status, answer.reason) == (204, "")
    assert answer.headers == (
        (ACAO, ORIGIN),
        ACAC,
        (ACAM, b"PUT, DELETE"),
        (ACAH, b"authorization, x-a"),
        (b"access-control-max-age", b"0"),
        PREFLIGHT_VARY,
    )
    assert cors.preflight(ORIGIN, b"PUT", b"x-a") is answer


@pytest.mark.parametrize(
    ("origin", "method", "asked", "reason"),
    [
        (b"https://evil.example", b"PUT", b"x-a", "origin"),
        (b"null", b"PUT", None, "null"),
        (b"not an origin", b"PUT", None, "malformed"),
        (b"https://a.example, https://b.example", b"PUT", None, "several"),
        (ORIGIN, b"DELETE", None, "method"),
        (ORIGIN, b"put", None, "method"),
        (ORIGIN, b"", None, "method"),
        (ORIGIN, b"*", None, "method"),
        (ORIGIN, b"PUT, X", None, "method"),
        (ORIGIN, b"PUT", b"x-b", "header"),
        (ORIGIN, b"PUT", b"x-a,x-b", "header"),
        (ORIGIN, b"PUT", b"x-a x-a", "header"),
        (ORIGIN, b"PUT", b"*", "header"),
        (ORIGIN, b"PUT", b"," * MOST_ASKED, "header"),
        (ORIGIN, b"PUT", b"x-a" + b" " * LONGEST_ASK, "header"),
    ],
)
def test_a_refused_preflight_tells_nothing(origin: bytes, method: bytes, asked: bytes | None, reason: str) -> None:
    """403, no CORS field, and the reason for the counters alone; the same again when it is remembered."""
    cors = compiled(methods=("PUT",), headers=("X-A",), credentials=True)

    for times in (1, 2):
        answer = cors.preflight(origin, method, asked)

        assert (answer.status, answer.reason) == (403, reason)
        assert answer.headers == (PREFLIGHT_VARY, (b"content-length", b"0"))
        assert cors.tally.counts[reason] == times


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
def test_safelisted_methods_need_no_listing(method: bytes) -> None:
    """A browser does not look for them in the list, so leaving them out must not look like a block."""
    assert compiled().preflight(ORIGIN, method).headers[0] == (ACAO, ORIGIN)


@pytest.mark.parametrize("asked", [b"", b"x-a,,x-a", b" x-a\t,\tX-A", b"x-b,x-a", b"," * (MOST_ASKED - 1), None])
def test_a_list_may_be_written_as_lists_are(asked: bytes | None) -> None:
    """RFC 9110 section 5.6.1.2: empty elements, white space, any order and case."""
    assert compiled(headers=("X-A", "X-B")).preflight(ORIGIN, b"GET", asked).status == 204


def test_a_star_without_credentials_stays_a_star() -> None:
    """And does not cover Authorization, in browsers nor here."""
    cors = compiled(methods=("*",), headers=("*",))
    lines = dict(cors.preflight(ORIGIN, b"PURGE", b"x-any").headers)

    assert (lines[ACAM], lines[ACAH]) == (b"*", b"*")
    assert cors.preflight(ORIGIN, b"PUT", b"authorization").status == 403
    named = compiled(headers=("*", "Authorization")).preflight(ORIGIN, b"GET", b"authorization,x-any")
    assert dict(named.headers)[ACAH] == b"*, authorization"


def test_a_star_with_credentials_names_what_was_asked() -> None:
    """Browsers take a literal star for a name then; once each, and only tokens."""
    cors = compiled(methods=("*",), headers=("*",), credentials=True)
    lines = dict(cors.preflight(ORIGIN, b"PUT", b"x-b,X-A,x-b,authorization").headers)

    assert (lines[ACAM], lines[ACAH]) == (b"PUT", b"x-b, x-a, authorization")
    assert cors.preflight(ORIGIN, b"PUT", b"x a").status == 403
    assert cors.preflight(ORIGIN, b"PUT\r\nX: 1").status == 403
    assert cors.preflight(ORIGIN, b"TRACE").status == 403
    assert ACAH not in dict(cors.preflight(ORIGIN, b"PUT").headers)


def test_debug_leaves_out_just_what_was_refused() -> None:
    """The browser then names the failing step in its console."""
    cors = compiled(methods=("PUT",), headers=("X-A",), debug=True)

    foreign = cors.preflight(b"https://evil.example", b"PUT")
    method = cors.preflight(ORIGIN, b"DELETE")
    header = cors.preflight(ORIGIN, b"PUT", b"x-b")

    assert (foreign.status, foreign.headers) == (204, (PREFLIGHT_VARY,))
    assert (method.status, method.headers) == (204, ((ACAO, ORIGIN), PREFLIGHT_VARY))
    assert (header.status, header.headers) == (204, ((ACAO, ORIGIN), (ACAM, b"PUT"), PREFLIGHT_VARY))


def test_private_network_is_answered_only_if_asked_and_allowed() -> None:
    """Superseded; off, the stale question changes nothing."""
    private = (b"access-control-allow-private-network", b"true")

    assert private in compiled(private_network=True).preflight(ORIGIN, b"GET", private=True).headers
    assert private not in compiled(private_network=True).preflight(ORIGIN, b"GET").headers
    assert compiled().preflight(ORIGIN, b"GET", private=True).headers == compiled().preflight(ORIGIN, b"GET").headers


def test_what_callers_invent_does_not_pile_up() -> None:
    """Origins under a pattern, foreign origins and header lists are the caller's to choose."""
    cors = compiled(origins=("https://*.example.com",), headers=("*",), credentials=True)

    for number in range(3_000):
        invented = f"https://t{number}.example.com".encode()
        cors.grant(invented)
        cors.grant(b"https://evil%d.example" % number)
        cors.preflight(invented, b"GET", b"x-%d" % number)

    assert len(cors._grants[0]) == len(cors._preflights) == 1_024
    assert len(cors._foreign) <= 512
    assert len(cors.tally.recent) == 64
    assert cors.grant(b"https://" + b"a" * 5_000) == (VARY,)
    assert max(map(len, cors._foreign)) <= 300


def test_listed_origins_are_always_remembered() -> None:
    """They are bounded by the policy itself."""
    listed = tuple(f"https://t{number}.example.com" for number in range(2_000))
    cors = compiled(origins=listed)

    for origin in listed:
        cors.grant(origin.encode())

    assert len(cors._grants[0]) == 2_000


names = st.sampled_from(["x-a", "x-b", "X-A", "authorization", "x c", "", " ", "\t", "x-evil", "*", "x-a\n", "\xdf"])
TOKENS = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@given(
    st.lists(names, max_size=6).map(",".join),
    st.sampled_from([("X-A", "X-B"), ("*",), ("*", "authorization")]),
    st.booleans(),
)
def test_a_list_is_granted_exactly_if_each_member_is(asked: str, headers: tuple[str, ...], credentials: bool) -> None:
    """A second reading, member by member; and nothing that did not match is ever written back."""
    cors = compiled(headers=headers, credentials=credentials)
    listed = {name.lower() for name in headers}
    members = [member for part in asked.split(",") if (member := part.strip(" \t").lower())]

    answer = cors.preflight(ORIGIN, b"GET", asked.encode("latin-1"))

    def good(member: str) -> bool:
        if "*" not in listed:
            return member in listed
        token = TOKENS.fullmatch(member.encode("latin-1")) is not None
        return token and (credentials or member != "authorization" or member in listed)

    assert (answer.status == 204) is all(good(member) for member in members)
    echoed = dict(answer.headers).get(ACAH, b"")
    allowed = {name.encode("latin-1") for name in members} | {name.encode() for name in listed}
    assert all(part in allowed and TOKENS.fullmatch(part) for part in echoed.split(b", ") if part)


@given(st.binary(max_size=60), st.binary(max_size=20), st.none() | st.binary(max_size=80))
def test_no_bytes_break_it_or_come_back(origin: bytes, method: bytes, asked: bytes | None) -> None:
    """Whatever arrives, the answer is made of the policy's own words."""
    cors = compiled(methods=("*",), headers=("*",), credentials=True)

    cors.grant(origin)
    answer = cors.preflight(origin, method, asked)

    assert answer.status == 403
    assert all(value.isascii() and value.decode().isprintable() for _, value in answer.headers)


def test_lines_are_joined_as_fetch_reads_them() -> None:
    """Two Origin lines become a value that is no origin."""
    lines = [(b"origin", b"https://a.example"), (b"accept", b"*/*"), (b"origin", b"https://b.example")]

    assert joined(lines, b"origin") == b"https://a.example, https://b.example"
    assert joined(lines, b"accept") == b"*/*"
    assert joined(lines, b"cookie") is None
