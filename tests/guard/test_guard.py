"""The one path: every step may end it, and what comes before and after each is kept to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from secrets import token_urlsafe
from typing import Any

import pytest
from msgspec.json import decode

from garrison.errors import StoreError
from garrison.guard.decision import Decision
from garrison.guard.drive import drive
from garrison.guard.finish import finish_own
from garrison.guard.force import InForce
from garrison.guard.guard import Guard
from garrison.limits import Ask, Verdict
from garrison.model.http.request import Header
from garrison.model.principal import ANONYMOUS, Principal
from garrison.model.units import MINUTE
from tests.guard.world import ORIGIN, POLICY, World, asked

REPEATED = 5
"""More than any memory needs to begin to remember."""


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.runtime.close()


def test_a_key_passes_and_names_its_owner(world: World) -> None:
    decision = world.ask("GET /plain", world.key("notes:read"))

    assert decision.answer is None
    assert (decision.principal.id, decision.address, decision.plan.route) == (
        "user:ada",
        "192.0.2.1",
        "GET|OPTIONS /plain",
    )
    assert [verdict.remaining for verdict in decision.verdicts] == [999]
    assert repr(decision) == f"Decision({decision.correlation})"


@pytest.mark.parametrize(
    ("target", "headers", "status", "code"),
    [
        ("GET /open", [(b"host", b"evil.net")], 421, "host_unknown"),
        ("GET /nowhere", [], 404, "route_unknown"),
        ("PUT /plain", [], 405, "method_not_allowed"),
        ("GET /a%2fb", [], 400, "path_ambiguous"),
        ("GET /" + "x" * 200, [], 414, "target_too_long"),
        ("GET /open", [(b"x", b"y" * 5_000)], 431, "headers_too_large"),
        ("GET /open", [(b"x%d" % n, b"") for n in range(30)], 431, "headers_too_large"),
        ("GET /plain", [], 401, "credential_missing"),
        ("GET /plain", [(b"authorization", b"Basic x")], 401, "credential_malformed"),
        ("GET /plain", [(b"x-api-key", b"x")], 401, "credential_malformed"),
    ],
)
def test_each_step_may_end_it(world: World, target: str, headers: list[Header], status: int, code: str) -> None:
    decision = world.ask(target, *headers)

    assert decision.answer is not None
    assert (decision.answer.status, decode(decision.answer.body)["code"]) == (status, code)
    assert decision.principal is ANONYMOUS
    assert [event.correlation for event in world.recorded()] == [decision.correlation]


def test_a_head_over_its_caps_is_refused_however_often_it_was_well(world: World) -> None:
    key = world.key("notes:read")
    for _ in range(REPEATED):
        assert world.ask("GET /plain", key).answer is None
        assert world.ask("GET /free").answer is None

    for line in ([(b"x", b"y" * 5_000)], [(b"x%d" % n, b"") for n in range(30)]):
        for headers in ([key, *line], line):
            refused = world.ask("GET /plain" if key in headers else "GET /free", *headers)
            assert refused.answer is not None
            assert refused.answer.status == 431
    long = world.ask("GET /plain", key, query=b"q" * 65)
    assert long.answer is not None
    assert long.answer.status == 414


def test_the_address_pays_before_and_the_principal_after(world: World) -> None:
    statuses = [world.ask("GET /open").answer for _ in range(3)]
    assert statuses[:2] == [None, None]
    assert statuses[2] is not None
    assert statuses[2].status == 429

    other = world.ask("GET /open", peer="192.0.2.9")
    assert other.answer is None

    key = world.key("notes:read")
    answers = [world.ask("GET /twice", key) for _ in range(3)]
    assert [decision.answer is None for decision in answers] == [True, True, False]
    assert len(answers[0].verdicts) == 2
    assert answers[2].refusal is not None
    assert answers[2].refusal.code == "limit_exceeded"


def test_a_refusal_for_want_of_rights_is_paid_for(world: World) -> None:
    key = world.key()
    decisions = [world.ask("GET /twice", key) for _ in range(3)]

    assert [decision.refusal.code for decision in decisions if decision.refusal] == [
        "scope_missing",
        "scope_missing",
        "limit_exceeded",
    ]


def test_freshness_and_assurance_are_demanded(world: World) -> None:
    now = world.clock.wall()
    assert world.ask("DELETE /fresh", world.token(authenticated_at=now)).answer is None
    for header in (world.key(), world.token(authenticated_at=now - 5 * MINUTE)):
        stale = world.ask("DELETE /fresh", header)
        assert stale.refusal is not None
        assert stale.refusal.code == "freshness_required"
    assert world.ask("GET /strong", world.token(methods=["pwd", "otp"])).answer is None
    weak = world.ask("GET /strong", world.token(methods=["pwd"]))
    assert weak.refusal is not None
    assert weak.refusal.code == "assurance_required"


def test_a_key_and_a_token_make_one_principal_and_both_pay(world: World) -> None:
    key, token = world.key("a", "b"), world.token("b", "c", subject="grace")

    decision = world.ask("GET /both", key, token)

    assert decision.answer is None
    assert decision.principal.subject == "grace"
    assert decision.principal.scopes == {"b"}
    assert decision.principal.app is not None
    assert decision.principal.app.subject == "ada"
    assert len(decision.verdicts) == 2
    one = world.ask("GET /both", key)
    assert one.refusal is not None
    assert one.refusal.code == "credential_missing"


def test_observing_refuses_nothing_and_records_everything_once(world: World) -> None:
    key = world.key()
    for headers, reasons in (((), ["missing", "scope_missing:notes:admin"]), ((key,), ["scope_missing:notes:admin"])):
        decision = world.ask("GET /watched", *headers)
        assert decision.answer is None
        events = world.recorded()
        assert [event.reason for event in events] == reasons
        assert {(event.outcome, event.details["observed"]) for event in events} == {("success", True)}
        assert decision.observed == ()


def test_a_policy_that_observes_lets_everything_pass() -> None:
    world = World('mode = "observe"\n' + POLICY)
    for target, headers in (
        ("GET /nowhere", ()),
        ("GET /open", ((b"host", b"evil.net"),)),
        ("GET /plain", ((b"x-api-key", b"x"),)),
        ("OPTIONS /free", (ORIGIN, (b"access-control-request-method", b"GET"))),
    ):
        assert world.ask(target, *headers).refusal is None
        assert world.recorded()
    world.runtime.close()


def test_a_route_with_owners_gets_a_proof_of_its_own(world: World) -> None:
    key = world.key("notes:read")
    proofs = [world.ask("GET /notes/1", key).principal.proof for _ in range(3)]

    assert None not in proofs
    assert len({id(proof) for proof in proofs}) == 3


def test_a_preflight_is_answered_before_anything_else(world: World) -> None:
    decision = world.ask("OPTIONS /plain", ORIGIN, (b"access-control-request-method", b"GET"))

    assert decision.answer is not None
    assert decision.answer.status == 204
    assert decision.preflight is not None
    assert world.ask("OPTIONS /plain", world.key()).answer is None


PRODUCTION = '[secrets]\nroot = "env:GARRISON_TEST_ROOT"\n'


def _preflight(world: World, origin: bytes, method: bytes, fields: bytes = b"") -> Decision:
    asks = [(b"origin", origin), (b"access-control-request-method", method)]
    asks += [(b"access-control-request-headers", fields)] if fields else []
    return world.ask("OPTIONS /plain", *asks)


@pytest.mark.parametrize(
    ("origin", "method", "fields", "reason", "told"),
    [
        (b"https://evil.example", b"GET", b"", "origin", "https://evil.example: no entry of origins covers it."),
        (b"null", b"GET", b"", "null", "null: the origin is null, which every sandboxed frame has."),
        (ORIGIN[1], b"PATCH", b"", "method", "https://app.example.com: methods does not list PATCH."),
        (ORIGIN[1], b"GET", b"x-a, x-b", "header", "https://app.example.com: headers does not list x-a."),
        (b"<\xe4>", b"GET", b"", "malformed", "\\x3c\\xe4\\x3e: the value is no origin as browsers write it."),
    ],
)
def test_a_refused_preflight_says_in_development_what_the_policy_lacks(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    origin: bytes,
    method: bytes,
    fields: bytes,
    reason: str,
    told: str,
) -> None:
    """In production the same answer tells nothing; the journal keeps the reason and the page."""
    monkeypatch.setenv("GARRISON_TEST_ROOT", token_urlsafe(32))
    production = World(POLICY + PRODUCTION, environment="production")
    here, there = (_preflight(each, origin, method, fields) for each in (world, production))

    assert here.answer is not None
    assert there.answer is not None
    assert (here.answer.status, there.answer.status) == (403, 403)
    assert decode(here.answer.body)["policy"] == told
    assert "policy" not in decode(there.answer.body)
    (event,) = world.recorded()
    assert (event.code, event.reason) == ("malicious_cors", reason)
    assert event.details == {"origin": told.partition(": ")[0]}
    production.runtime.close()


def test_in_debug_mode_the_browser_learns_which_step_failed() -> None:
    """Its console names the first thing that it misses; a bare 403 names nothing."""
    world = World(POLICY.replace("[cors.web]", "[cors.web]\ndebug = true"))
    decision = _preflight(world, ORIGIN[1], b"GET", b"x-a")

    assert decision.answer is not None
    assert decision.answer.status == 204
    lines = dict(finish_own(decision, asked("OPTIONS /plain", ORIGIN), decision.answer))
    assert lines[b"access-control-allow-origin"] == ORIGIN[1]
    assert b"access-control-allow-headers" not in lines
    world.runtime.close()


class _Failing:
    """Counters that nobody can reach."""

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        raise StoreError("gone")


class _Waiting:
    """Counters behind a network: they give nothing at once, and wait."""

    def __init__(self, world: World) -> None:
        self._counters = world.runtime.counting.memory

    async def take(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        await asyncio.sleep(0)
        return await self._counters.take(asks)


def _guard(world: World, counters: Any) -> Guard:
    runtime = world.runtime
    return Guard(
        world.guard.force, counters, world.clock, runtime.correlate, runtime.record, runtime.abuse.suspects.seen
    )


def test_what_cannot_be_counted_is_refused(world: World) -> None:
    guard = _guard(world, _Failing())
    for target, headers in (("GET /open", ()), ("GET /plain", (world.key(),))):
        decision = drive(guard.decide(asked(target, *headers)))
        assert decision.answer is not None
        assert (decision.answer.status, (b"retry-after", b"1") in decision.answer.headers) == (503, True)


def test_counters_may_be_waited_for(world: World) -> None:
    guard = _guard(world, _Waiting(world))
    key = world.key("notes:read")
    for target, headers in (("GET /open", ()), ("GET /plain", (key,))):
        decision = asyncio.run(guard.decide(asked(target, *headers)))
        assert decision.answer is None
        assert len(decision.verdicts) == 1


def test_a_place_among_concurrent_requests_is_given_back(world: World) -> None:
    key = world.key()
    first = world.ask("GET /alone", key)
    assert first.holds
    assert world.ask("GET /alone", key).refusal is not None

    drive(world.guard.release(first))

    again = world.ask("GET /alone", key)
    assert again.refusal is None
    nothing = world.ask("GET /plain", key)
    drive(world.guard.release(nothing))
    assert not nothing.holds


@pytest.mark.parametrize(("target", "own"), [("GET /notes/1", True), ("GET /plain", False)])
def test_a_success_without_proof_is_withheld(world: World, target: str, own: bool) -> None:
    decision = world.ask(target, world.key("notes:read"))
    request = asked(target)
    world.recorded()

    assert (world.guard.withhold(request, decision, 200) is not None) == own
    assert [event.severity for event in world.recorded()] == ["critical"] * own
    missing = world.guard.withhold(request, decision, 404)
    assert (missing is not None) == own
    assert world.guard.withhold(request, decision, 500) is None
    if decision.principal.proof is not None:
        decision.principal.must_own("user:ada")
        assert world.guard.withhold(request, decision, 200) is None


JSON = (b"content-type", b"application/json")


def test_bodies_are_judged_where_they_matter(world: World) -> None:
    key = world.key("notes:write")
    request = asked("POST /echo", key, JSON)
    decision = world.decide(request)
    assert world.guard.judges_body(request, decision)
    drive(world.guard.take_body(request, decision, b'{"a":1}'))
    assert decision.answer is None
    drive(world.guard.take_body(request, decision, b'{"a":1,"a":2}'))
    assert decision.answer is not None
    assert decision.answer.status == 400

    assert not world.guard.judges_body(asked("POST /echo", key), world.ask("POST /echo", key))


@pytest.mark.parametrize(
    ("target", "fields", "code"),
    [
        ("POST /echo", [JSON, (b"content-length", b"2")], ""),
        ("POST /echo", [], ""),
        ("POST /echo", [(b"content-type", b"text/plain"), (b"content-length", b"2")], "body_type"),
        ("POST /echo", [JSON, (b"content-length", b"2000")], "body_too_large"),
        ("POST /watched", [(b"content-type", b"text/plain"), (b"content-length", b"2")], ""),
        ("POST /watched", [JSON, (b"content-length", b"2000")], "body_too_large"),
    ],
)
def test_a_body_is_refused_by_its_head(world: World, target: str, fields: list[Header], code: str) -> None:
    """Where a route observes, a body of the wrong type is recorded and goes on; one that is too large does not."""
    request = asked(target, world.key("notes:write"), *fields)
    decision = world.decide(request)

    assert world.guard.refuses_body(request, decision) is bool(code)
    assert (decision.refusal.code if decision.refusal else "") == code
    outcomes = [event.outcome for event in world.recorded()]
    assert outcomes == (["refused"] if code else ["success"] if target == "POST /watched" else [])


def test_a_bad_body_is_only_recorded_where_the_route_observes(world: World) -> None:
    key = world.key()
    request = asked("POST /watched", key, JSON)
    decision = world.decide(request)
    drive(world.guard.take_body(request, decision, b"{"))

    assert decision.answer is None
    assert [event.outcome for event in world.recorded()] == ["success"]


def test_a_socket_stays_open_only_as_long_as_its_key_holds(world: World) -> None:
    issued = world.issued()
    request = asked("WS /live", (b"x-api-key", issued.text.encode()))
    decision = world.decide(request)
    assert decision.answer is None
    assert drive(world.guard.still_allowed(request, decision))

    drive(world.runtime.driven_side.keys.revoke(issued.record.id, world.by))

    assert not drive(world.guard.still_allowed(request, decision))


def test_a_socket_whose_route_is_gone_or_whose_store_fails_is_ended(world: World) -> None:
    key = world.key()
    request, decision = asked("WS /live", key), world.ask("WS /live", key)

    class Failing:
        kind, challenge, lasts = "key", b"x", False

        def find(self, request: object) -> object:
            return object()

        async def believe(self, *facts: object) -> Principal:
            raise StoreError("gone")

    before = world.guard.force
    world.guard.force = InForce(before.plans, {"key": Failing()}, before.trusted)  # type: ignore[dict-item]  # only what is asked of it
    assert not drive(world.guard.still_allowed(request, decision))
    world.guard.force = before
    assert not drive(world.guard.still_allowed(asked("WS /gone", key), decision))
