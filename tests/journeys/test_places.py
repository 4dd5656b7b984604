"""One policy, every place the guard can stand: the same requests must get the same decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from garrison.credentials.key_order import NewKey
from garrison.credentials.key_service import OPERATOR, By, Issued
from garrison.guard.drive import drive
from garrison.model.principal import Principal
from garrison.policy.load import load
from garrison.runtime.compose import Runtime, compose
from garrison.testing.clock import ManualClock
from tests.journeys.places import PLACES, Answer, Place

POLICY = """
service = "notes"
hosts = ["api.example.com"]

[defaults]
limit = "1000/s per principal"
cors = "web"

[cors.web]
origins = ["https://app.example.com"]

[caps]
body = "1KiB"
depth = 8

[routes]
"GET /health" = { public = true, limit = "3/m per address" }
"GET /plain" = { scopes = [] }
"GET /notes/{number}" = { scopes = ["notes:read"], own = true }
"POST /echo" = { scopes = ["notes:write"] }
"GET /boom" = { scopes = ["notes:read"] }
"GET /unproved" = { scopes = ["notes:read"], own = true }
"GET /twice" = { scopes = ["notes:read"], limit = "2/m per principal" }
"DELETE /fresh" = { scopes = ["notes:write"], require = { fresh = "5m" } }
"""

ORIGIN = ("origin", "https://app.example.com")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, runner: asyncio.Runner, runtime: Runtime) -> Place:
    """Each adapter in turn."""
    return PLACES[request.param](runtime, runner)


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
def runtime(clock: ManualClock) -> Iterator[Runtime]:
    """The policy at work, in memory."""
    runtime = compose(load(POLICY, "development"), clock=clock)
    yield runtime
    runtime.close()


@pytest.fixture
def key(runtime: Runtime, clock: ManualClock) -> tuple[str, str]:
    """A key of ada's with every scope, as a header."""
    return _key(runtime, clock, "ada", "notes:read", "notes:write")


def _key(runtime: Runtime, clock: ManualClock, name: str, *scopes: str) -> tuple[str, str]:
    order = NewKey(name=name, scopes=scopes)
    owner = Principal(subject=name, scopes=frozenset(scopes))
    issued = drive(runtime.driven_side.keys.create(order, By(OPERATOR, clock.wall()), owner))
    assert isinstance(issued, Issued), issued
    return ("x-api-key", issued.text)


def test_a_public_route_knows_nobody(place: Place) -> None:
    answer = place.call("GET", "/health")

    assert answer.status == 200
    assert answer.json["id"] == "anonymous:"


def test_a_key_is_believed_and_the_application_told(place: Place, key: tuple[str, str]) -> None:
    answer = place.call("GET", "/plain", [key])

    assert answer.status == 200
    assert answer.json["id"] == "user:ada"
    assert answer.json["scopes"] == ["notes:read", "notes:write"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "route_unknown"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("TRACE", "/health", 405, "method_not_allowed"),
        ("GET", "/notes/..%2fhealth", 400, "path_ambiguous"),
        ("GET", "/notes//1", 400, "path_ambiguous"),
        ("GET", "/health;x=1", 400, "path_ambiguous"),
        ("GET", "/%68ealth%00", 400, "path_ambiguous"),
        ("GET", "/plain", 401, "credential_missing"),
    ],
)
def test_what_the_policy_does_not_allow_never_reaches_the_application(
    place: Place, method: str, path: str, status: int, code: str
) -> None:
    answer = place.call(method, path)

    assert (answer.status, answer.code) == (status, code)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "", "api.example.com.evil.example"])
def test_another_host_is_misdirected(place: Place, host: str) -> None:
    assert place.call("GET", "/health", [("host", host)]).status == 421


@pytest.mark.parametrize(
    "header",
    [
        ("x-api-key", "grsn_sk_live_000000000000_" + "0" * 49),
        ("x-api-key", "x"),
        ("authorization", "Bearer x.y.z"),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
        ("authorization", "Basic YWRhOmFkYQ=="),
        ("authorization", "Bearer"),
    ],
)
def test_a_credential_that_is_none_is_refused_without_a_reason(place: Place, header: tuple[str, str]) -> None:
    answer = place.call("GET", "/plain", [header])

    assert answer.status == 401
    assert answer.json["detail"] in (
        "The credential was not accepted.",
        "Present a credential that this route accepts.",
    )
    assert answer.header("www-authenticate")


def test_scopes_are_demanded(place: Place, runtime: Runtime, clock: ManualClock) -> None:
    reader = _key(runtime, clock, "ada", "notes:read")

    assert place.call("GET", "/notes/1", [reader]).status == 200
    refused = place.call("POST", "/echo", [reader, ("content-type", "application/json")], b"{}")
    assert (refused.status, refused.code) == (403, "scope_missing")
    assert 'scope="notes:write"' in (refused.header("www-authenticate") or "")


def test_anothers_note_answers_exactly_like_a_missing_one(place: Place, key: tuple[str, str]) -> None:
    def seen(answer: Answer) -> Any:
        return {name: value for name, value in answer.json.items() if name != "correlation"}

    theirs, missing = place.call("GET", "/notes/2", [key]), place.call("GET", "/notes/999", [key])

    assert place.call("GET", "/notes/1", [key]).status == 200
    assert theirs.status == missing.status == 404
    assert seen(theirs) == seen(missing)


def test_a_success_without_proof_of_ownership_is_withheld(place: Place, key: tuple[str, str]) -> None:
    """OWASP API1:2023: the handler forgot to ask whose thing it returns."""
    answer = place.call("GET", "/unproved", [key])

    assert (answer.status, answer.code) == (500, "ownership_unproved")
    assert b"user:ada" not in answer.body


def test_a_fault_is_answered_without_its_details(place: Place, key: tuple[str, str]) -> None:
    answer = place.call("GET", "/boom", [key, ORIGIN])

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert answer.header("access-control-allow-origin") == "https://app.example.com"
    assert answer.header("content-security-policy")


def test_limits_are_spent_per_address_and_per_principal(
    place: Place, key: tuple[str, str], runtime: Runtime, clock: ManualClock
) -> None:
    assert [place.call("GET", "/health").status for _ in range(4)] == [200, 200, 200, 429]
    assert place.call("GET", "/health", peer="198.51.100.1").status == 200

    other = _key(runtime, clock, "bob", "notes:read")
    assert [place.call("GET", "/twice", [key]).status for _ in range(3)] == [200, 200, 429]
    refused = place.call("GET", "/twice", [key, ORIGIN])
    assert refused.code == "limit_exceeded"
    assert int(refused.header("retry-after") or 0) >= 1
    assert "retry-after" in (refused.header("access-control-expose-headers") or "").lower()
    assert place.call("GET", "/twice", [other]).status == 200


def test_a_preflight_needs_no_credential_and_reaches_no_handler(place: Place) -> None:
    ask = ("access-control-request-method", "POST")

    allowed = place.call("OPTIONS", "/echo", [ORIGIN, ask])
    assert allowed.status == 204
    assert allowed.header("access-control-allow-origin") == "https://app.example.com"
    assert allowed.body == b""
    refused = place.call("OPTIONS", "/echo", [("origin", "https://evil.example"), ask])
    assert refused.status == 403
    assert refused.header("access-control-allow-origin") is None


def test_head_is_answered_where_get_is(place: Place, key: tuple[str, str]) -> None:
    """`Allow` names it, so the framework must not say 405; and it is GET's demands that hold."""
    assert place.call("POST", "/plain", [key]).header("allow") == "GET, HEAD"

    assert place.call("HEAD", "/plain", [key]).status == 200
    assert place.call("HEAD", "/plain").status == 401
    assert place.call("HEAD", "/notes/1", [key]).status == 200
    assert place.call("HEAD", "/notes/2", [key]).status == 404
    assert place.call("HEAD", "/unproved", [key]).status == 500
    assert [place.call("HEAD", "/twice", [key]).status for _ in range(3)] == [200, 200, 429]


def test_every_answer_carries_its_headers_once(place: Place, key: tuple[str, str]) -> None:
    answer = place.call("GET", "/plain", [key, ORIGIN])

    for name in ("access-control-allow-origin", "content-security-policy", "x-request-id", "vary", "ratelimit"):
        assert [field.lower() for field, _ in answer.headers].count(name) == 1
    assert answer.header("server") is None
    assert "origin" in (answer.header("vary") or "").lower()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/health", []),
        ("GET", "/nowhere", []),
        ("GET", "/plain", []),
        ("OPTIONS", "/echo", [ORIGIN, ("access-control-request-method", "POST")]),
        ("OPTIONS", "/echo", [("origin", "https://evil.example"), ("access-control-request-method", "POST")]),
        ("OPTIONS", "/echo", []),
    ],
)
def test_an_answer_has_one_length_at_most_and_it_is_its_bodys(
    place: Place, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    """Two lengths: a proxy that believes the other one takes the rest of the body for the next answer."""
    answer = place.call(method, path, headers)

    lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
    assert lengths in ([], [str(len(answer.body))])
    assert answer.status != 204 or not lengths


def test_a_fault_of_the_guard_itself_is_answered_like_any_other(
    place: Place, key: tuple[str, str], runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(request: object) -> None:
        raise ZeroDivisionError("a secret detail")

    for side in (runtime.awaited_side, runtime.driven_side):
        monkeypatch.setattr(side.api_keys, "find", fails)

    answer = place.call("GET", "/plain", [key])

    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"secret" not in answer.body
    assert answer.header("x-request-id")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"a": 1, "a": 2}', 400, "body_malformed"),
        (b"{" * 9, 400, "body_malformed"),
        (b'{"a": NaN}', 400, "body_malformed"),
        (b"\xff", 400, "body_malformed"),
        (b"[" * 9 + b"]" * 9, 400, "body_malformed"),
        (b'"' + b"x" * 1024 + b'"', 413, "body_too_large"),
    ],
)
def test_a_bad_body_never_reaches_the_application(
    place: Place, key: tuple[str, str], body: bytes, status: int, code: str
) -> None:
    answer = place.call("POST", "/echo", [key, ("content-type", "application/json")], body)

    assert (answer.status, answer.code) == (status, code)


def test_a_good_body_reaches_the_application_untouched(place: Place, key: tuple[str, str]) -> None:
    body = b' {"a": [1, 2.50, "\\u00e4"]}\n'

    answer = place.call("POST", "/echo", [key, ("content-type", "application/json")], body)

    assert answer.json == {"received": body.decode()}


def test_a_key_is_never_fresh(place: Place, key: tuple[str, str]) -> None:
    answer = place.call("DELETE", "/fresh", [key])

    assert (answer.status, answer.code) == (401, "freshness_required")


def test_a_revoked_key_is_refused_at_once_in_its_own_process(
    place: Place, key: tuple[str, str], runtime: Runtime, clock: ManualClock
) -> None:
    assert place.call("GET", "/plain", [key]).status == 200

    shown = place.call("GET", "/plain", [key]).json["credential"]
    drive(runtime.driven_side.keys.revoke(shown.removeprefix("key:"), By(OPERATOR, clock.wall())))

    assert place.call("GET", "/plain", [key]).status == 401


def test_two_credentials_at_once_are_refused(place: Place, key: tuple[str, str]) -> None:
    answer = place.call("GET", "/plain", [key, ("authorization", "Bearer aaaa.bbbb.cccc")])

    assert answer.status in (400, 401)
    assert answer.code in ("credential_ambiguous", "credential_malformed", "credential_refused")
