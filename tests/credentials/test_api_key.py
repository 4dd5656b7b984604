"""API keys as a credential: found where they may stand, believed once they are proved, refused in one voice."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from garrison.credentials.key_format import KeyFormat
from garrison.credentials.key_import import ForeignKey
from garrison.credentials.key_order import NewKey
from garrison.credentials.key_record import ALLOWANCES, KEYS, USES
from garrison.credentials.key_service import Issued
from garrison.credentials.keys.allowances import BLOCK
from garrison.credentials.keys.hot import Proved
from garrison.credentials.protocol import Owner, Presented
from garrison.crypto.ring import KeyRing
from garrison.errors import StoreError
from garrison.guard.drive import drive
from garrison.limits import Ask, parse
from garrison.model.http.refusal import Refusal
from garrison.model.http.request import Request
from garrison.model.principal import Principal
from garrison.policy.plan import Plan
from garrison.policy.schema import Keys
from garrison.stores.protocols import Put
from tests.credentials.world import ADA, HOUR, OLD_ROOT, PLAN, ROOT, SECOND, People, World


def _request(*lines: tuple[str, str], query: str = "") -> Request:
    return Request(
        "GET",
        "/notes/7",
        [(name.encode(), value.encode("latin-1")) for name, value in lines],
        query=query.encode("latin-1"),
    )


def _found(world: World, *lines: tuple[str, str], query: str = "") -> Presented | Refusal | None:
    return world.keys.find(_request(*lines, query=query))


def _refusal(answer: Presented | Principal | Refusal | None) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


class TestFind:
    """Step 4: by the form alone."""

    def test_in_its_header_field(self) -> None:
        world = World()
        issued = world.make()

        found = _found(world, ("host", "x"), ("x-api-key", issued.text))

        assert isinstance(found, Presented)
        assert (found.kind, found.id) == ("key", issued.record.secrets[0].id)
        assert issued.text.split("_")[4][:-6] not in repr((found, found.extra)), "a log would keep it"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_behind_bearer_in_any_case(self, scheme: str) -> None:
        """RFC 9110 section 11.1: schemes are case-insensitive."""
        world = World()

        assert isinstance(_found(world, ("authorization", f"{scheme} {world.make().text}")), Presented)

    def test_in_the_field_that_the_policy_names(self) -> None:
        world = World(policy=Keys(header="x-acme-key"))
        text = world.make().text

        assert isinstance(_found(world, ("x-acme-key", text)), Presented)
        assert _found(world, ("x-api-key", text)) is None

    @pytest.mark.parametrize(
        "lines", [[], [("authorization", "Bearer a.b.c")], [("authorization", "Basic Z3Jzbl8=")], [("cookie", "a=b")]]
    )
    def test_nothing_of_this_kind_is_none(self, lines: list[tuple[str, str]]) -> None:
        world = World()
        world.tend()

        assert _found(world, *lines) is None

    def test_a_jwt_beside_a_key_is_somebody_elses(self) -> None:
        world = World()
        text = world.make().text

        assert isinstance(_found(world, ("x-api-key", text), ("authorization", "Bearer a.b.c")), Presented)

    @pytest.mark.parametrize("field", ["x-api-key", "authorization"])
    def test_a_field_that_came_twice_is_ambiguous(self, field: str) -> None:
        world = World()
        value = world.make().text if field == "x-api-key" else f"Bearer {world.make().text}"

        refusal = _refusal(_found(world, (field, value), (field, value)))

        assert (refusal.code, refusal.status) == ("credential_ambiguous", 400)

    def test_two_keys_are_ambiguous(self) -> None:
        world = World()
        one, other = world.make().text, world.make().text

        refusal = _refusal(_found(world, ("x-api-key", one), ("authorization", f"Bearer {other}")))

        assert refusal.code == "credential_ambiguous"

    @pytest.mark.parametrize("text", ["", "x", "grsn_sk_live_", "grsn_sk_live_" + "a" * 62, "\xe9" * 75, "a" * 10_000])
    def test_another_form_is_malformed(self, text: str) -> None:
        world = World()
        world.tend()

        refusal = _refusal(_found(world, ("x-api-key", text)))

        assert (refusal.code, refusal.status, refusal.weight) == ("credential_malformed", 401, 1)
        assert refusal.headers == ((b"www-authenticate", b'ApiKey realm="notes"'),)

    @given(st.binary(max_size=100))
    def test_no_bytes_break_it(self, raw: bytes) -> None:
        world = World()
        request = Request("GET", "/", [(b"x-api-key", raw), (b"authorization", b"Bearer " + raw)], query=raw)

        assert isinstance(world.keys.find(request), (Refusal, Presented))


class TestBelieve:
    """Steps 5 and 6: who it is."""

    def test_a_key_without_an_owner_acts_for_itself(self) -> None:
        world = World()
        issued = world.make(scopes=("notes:read",))

        principal = world.ask(issued.text)

        assert isinstance(principal, Principal)
        assert (principal.kind, principal.subject) == ("service", issued.record.id)
        assert principal.scopes == {"notes:read"}
        assert principal.credential == f"key:{issued.record.id}"

    def test_a_key_acts_as_its_owner(self) -> None:
        world = World()

        principal = world.ask(world.make(ADA, scopes=("notes:read",)).text)

        assert isinstance(principal, Principal)
        assert (principal.id, principal.kind, principal.tenant) == (ADA.id, "user", "")

    def test_a_key_was_never_a_login(self) -> None:
        """So a route that demands freshness or a factor is never satisfied by one."""
        world = World()
        principal = world.ask(world.make(ADA).text)

        assert isinstance(principal, Principal)
        assert (principal.authenticated_at, principal.methods, principal.session) == (0, (), "")

    def test_hot_and_cold_say_the_same(self) -> None:
        world = World()
        text = world.make(scopes=("notes:read",), routes=("GET /notes/{id}",)).text

        assert world.ask(text) == world.ask(text)

    def test_a_hot_key_costs_no_store(self) -> None:
        world = World()
        text = world.make().text
        world.heat(text)

        assert world.reason(text) == ""
        assert world.records.gets == []

    def test_what_comes_once_is_not_kept(self) -> None:
        """A million keys used once a day must not push out those used every second."""
        world = World()
        text = world.make().text

        assert [world.reason(text) for _ in range(4)] == ["", "", "", ""]
        assert [kind for kind, _ in world.records.gets] == ["api_key", "api_key"]

    def test_it_never_suspends_and_can_be_awaited(self) -> None:
        world = World()
        request = _request(("x-api-key", world.make().text))
        found = world.keys.find(request)
        assert isinstance(found, Presented)
        now, monotonic = world.clock.wall(), world.clock.monotonic()

        awaited = asyncio.run(world.keys.believe(found, request, "", PLAN, now, monotonic))

        assert awaited == drive(world.keys.believe(found, request, "", PLAN, now, monotonic))

    def test_expiry_is_exact(self) -> None:
        """At the very instant of its expiry a key has expired."""
        world = World()
        text = world.make(expires_in="1h").text
        world.heat(text)

        world.clock.advance(HOUR - 1)
        world.hear()
        assert world.reason(text) == ""
        world.clock.advance(1)
        assert world.reason(text) == "key_expired"

    def test_news_that_is_not_fresh_means_asking_the_store(self) -> None:
        world = World()
        text = world.make().text
        world.heat(text)
        world.clock.advance(SECOND)
        world.records.gets.clear()

        assert world.reason(text) == ""
        assert [kind for kind, _ in world.records.gets] == ["api_key"]

    def test_no_news_and_no_store_is_a_fault_and_no_pass(self) -> None:
        world = World()
        text = world.make().text
        world.heat(text)
        world.clock.advance(SECOND)
        world.records.down = True

        with pytest.raises(StoreError):
            world.ask(text)

    def test_an_unreachable_store_leaves_hot_keys_alone_while_news_is_fresh(self) -> None:
        world = World()
        text = world.make().text
        world.heat(text)
        world.records.down = True

        assert world.reason(text) == ""


class TestOwners:
    """Rights are what was granted and the owner may now."""

    def test_never_more_than_the_owner_may_now(self) -> None:
        people = People((ADA.id, Owner(frozenset(("notes:read",)))))
        world = World(owners=people)

        principal = world.ask(world.make(ADA, scopes=("notes:*",)).text)

        assert isinstance(principal, Principal)
        assert principal.scopes == {"notes:read"}

    def test_what_the_owner_loses_the_key_loses(self) -> None:
        people = People((ADA.id, Owner(frozenset(("notes:read", "notes:write")))))
        world = World(owners=people)
        text = world.make(ADA, scopes=("notes:write",)).text
        world.heat(text)

        people.owners[ADA.id] = Owner(frozenset(("notes:read",)))
        world.news.tell("subject", ADA.id, world.clock.wall())
        principal = world.ask(text)

        assert isinstance(principal, Principal)
        assert principal.scopes == frozenset()

    @pytest.mark.parametrize("owner", [None, Owner(frozenset(("notes:read",)), active=False)])
    def test_an_owner_who_is_gone_takes_the_key_along(self, owner: Owner | None) -> None:
        people = People((ADA.id, Owner(frozenset(("notes:read",)))))
        world = World(owners=people)
        text = world.make(ADA).text
        world.heat(text)

        people.owners = {ADA.id: owner} if owner else {}
        world.news.tell("subject", ADA.id, world.clock.wall())

        assert world.reason(text) == "key_owner_gone"

    def test_a_hot_key_does_not_ask_for_its_owner_again(self) -> None:
        people = People((ADA.id, Owner(frozenset(("notes:read",)))))
        world = World(owners=people)
        text = world.make(ADA).text

        for _ in range(5):
            world.ask(text)

        assert people.asked == 2

    def test_a_key_without_an_owner_needs_nobody(self) -> None:
        world = World(owners=People())

        assert world.reason(world.make().text) == ""


class TestRestrictions:
    """What a proved key may be used for; whoever holds it is told that it is not for this."""

    @pytest.mark.parametrize(
        ("address", "reason"),
        [
            ("10.1.2.3", ""),
            ("2001:db8::7", ""),
            ("11.1.2.3", "key_network"),
            ("", "key_network"),
            ("unix", "key_network"),
        ],
    )
    def test_networks(self, address: str, reason: str) -> None:
        world = World()
        text = world.make(networks=("10.0.0.0/8", "2001:db8::/32")).text

        assert [world.reason(text, address=address) for _ in range(2)] == [reason, reason]

    @pytest.mark.parametrize(
        ("routes", "plan", "method", "reason"),
        [
            (("GET /notes/{id}",), "GET /notes/{id}", "GET", ""),
            (("GET /notes/{id}",), "GET /notes", "GET", "key_route"),
            (("GET /notes/{id}",), "GET|PUT /notes/{id}", "GET", ""),
            (("GET /notes/{id}",), "GET|PUT /notes/{id}", "PUT", "key_route"),
            (("GET|PUT /notes/{id}",), "PUT /notes/{id}", "PUT", ""),
            (("GET|PUT /notes/{id}",), "GET|PUT /notes/{id}", "PUT", ""),
            (("GET|PUT /notes/{id}",), "DELETE /notes/{id}", "DELETE", "key_route"),
        ],
    )
    def test_routes(self, routes: tuple[str, ...], plan: str, method: str, reason: str) -> None:
        """A route of the policy that has several methods counts method by method."""
        world = World()
        text = world.make(routes=routes).text
        asked = Plan(route=plan, template=plan.split(" ")[1])

        assert world.reason(text, plan=asked, method=method) == reason

    @pytest.mark.parametrize(
        ("origin", "reason"),
        [
            ("https://app.example.com", ""),
            ("https://app.example.com.evil.example", "key_origin"),
            ("null", "key_origin"),
            (None, "key_origin"),
        ],
    )
    def test_a_publishable_key_is_bound_to_its_pages(self, origin: str | None, reason: str) -> None:
        world = World()
        text = world.make(kind="pk", origins=("https://app.example.com",), scopes=("notes:read",)).text
        headers = {} if origin is None else {"origin": origin}

        assert world.reason(text, **headers) == reason

    def test_the_answer_is_403_without_a_challenge(self) -> None:
        """The key is right; presenting it again would not help."""
        world = World()

        refusal = _refusal(world.ask(world.make(networks=("10.0.0.0/8",)).text))

        assert (refusal.code, refusal.status, refusal.headers) == ("credential_restricted", 403, ())

    def test_limits_of_the_key_are_handed_to_the_guard(self) -> None:
        world = World()
        one = world.make(limits=("1000 per calendar hour per key", "5/s per key"))
        other = world.make(limits=("5/s per key",))
        asks = [getattr(world.ask(issued.text), "asks", ()) for issued in (one, other)]

        assert [ask.limit for ask in asks[0]] == [parse("1000 per calendar hour per key"), parse("5/s per key")]
        assert all(isinstance(ask, Ask) for ask in asks[0])
        assert len({ask.subject for of_one in asks for ask in of_one}) == 3


class TestQuarantine:
    """A suspected key may read until somebody has looked."""

    def test_it_reads_and_nothing_else(self) -> None:
        world = World()
        issued = world.make(scopes=("notes:read", "notes:write", "admin:*"))
        drive(world.service.quarantine(issued.record.id, world.by(), "seen in two countries"))

        principal = world.ask(issued.text)

        assert isinstance(principal, Principal)
        assert principal.scopes == {"notes:read"}
        assert [world.reason(issued.text, method=method) for method in ("HEAD", "POST", "DELETE", "OPTIONS")] == [
            "",
            "key_quarantined",
            "key_quarantined",
            "key_quarantined",
        ]

    def test_from_known_networks_it_works_as_before(self) -> None:
        world = World()
        issued = world.make(scopes=("notes:write",))
        drive(world.service.quarantine(issued.record.id, world.by(), known=("10.0.0.0/8",)))

        inside = world.ask(issued.text, address="10.1.1.1", method="POST")

        assert isinstance(inside, Principal)
        assert inside.scopes == {"notes:write"}
        assert world.reason(issued.text, address="", method="POST") == "key_quarantined"

    def test_released_it_writes_again(self) -> None:
        world = World()
        issued = world.make(scopes=("notes:write",))
        drive(world.service.quarantine(issued.record.id, world.by()))
        world.heat(issued.text)
        drive(world.service.release(issued.record.id, world.by()))

        assert world.reason(issued.text, method="POST") == ""


class TestUses:
    """How often a key was used, and how often it may be."""

    def test_uses_are_written_in_one_batch_and_coarse(self) -> None:
        world = World()
        issued = [world.make() for _ in range(3)]
        world.records.commits.clear()
        for each in issued:
            for _ in range(4):
                world.ask(each.text)
        assert world.records.commits == []

        world.clock.advance(61 * SECOND)
        world.tend()

        uses = [drive(world.store.get(USES, each.record.secrets[0].id)) for each in issued]
        assert [use.count for use in uses] == [4, 4, 4]
        assert {use.last % (60 * SECOND) for use in uses} == {0}
        assert len(world.records.commits) == 1

    def test_two_processes_add_up(self) -> None:
        here = World()
        there = World(beside=here)
        issued = here.make()
        there.hear()

        for _ in range(3):
            here.ask(issued.text)
            there.ask(issued.text)
            here.tend()
            there.tend()

        assert drive(here.store.get(USES, issued.record.secrets[0].id)).count == 6

    def test_a_store_that_fails_loses_no_count(self) -> None:
        world = World()
        issued = world.make()
        world.ask(issued.text)
        world.tend()
        world.ask(issued.text)
        world.records.down = True
        with pytest.raises(StoreError):
            world.tend()
        world.records.down = False
        world.ask(issued.text)
        world.tend()

        assert drive(world.store.get(USES, issued.record.secrets[0].id)).count == 3

    def test_a_combined_principal_counts_for_the_app(self) -> None:
        """Where a key names the app and a token the user, the key was used as well."""
        world = World()
        issued = world.make()
        app = world.ask(issued.text)
        assert isinstance(app, Principal)
        world.keys.used(Principal(subject="ada", app=app), world.clock.wall())
        world.keys.used(Principal(subject="ada"), world.clock.wall())
        world.tend()

        assert drive(world.store.get(USES, issued.record.secrets[0].id)).count == 2

    @pytest.mark.parametrize("uses", [1, 2, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
    def test_remaining_uses_are_exact_over_processes(self, uses: int) -> None:
        here = World()
        there = World(beside=here)
        issued = here.make(uses=uses)
        there.hear()

        believed = sum(world.reason(issued.text) == "" for _ in range(uses) for world in (here, there))

        assert believed == uses
        assert here.reason(issued.text) == there.reason(issued.text) == "key_spent"

    def test_what_a_process_did_not_spend_it_gives_back(self) -> None:
        world = World()
        issued = world.make(uses=1000)
        world.ask(issued.text)
        drive(world.keys.close(world.clock.wall()))

        assert drive(world.store.get(ALLOWANCES, issued.record.id)).left == 999

    def test_an_idle_block_goes_back_to_where_others_can_take_it(self) -> None:
        world = World()
        issued = world.make(uses=1000)
        world.ask(issued.text)
        world.tend()
        assert drive(world.store.get(ALLOWANCES, issued.record.id)).left == 1000 - BLOCK

        world.tend()

        assert drive(world.store.get(ALLOWANCES, issued.record.id)).left == 999

    def test_a_refused_request_spends_nothing(self) -> None:
        world = World()
        issued = world.make(uses=1, networks=("10.0.0.0/8",))
        world.ask(issued.text)

        assert world.reason(issued.text, address="10.1.1.1") == ""


def test_news_of_other_kinds_leaves_keys_alone() -> None:
    world = World()
    text = world.make().text
    world.heat(text)
    world.news.tell("session", "s1", world.clock.wall())

    assert world.reason(text) == ""
    assert world.records.gets == []


def test_the_challenge_names_scheme_and_realm() -> None:
    world = World()

    assert world.keys.challenge == b'ApiKey realm="notes"'


WEIGHED = {
    "key_form": 1,
    "key_check": 1,
    "key_environment": 1,
    "key_in_query": 1,
    "key_expired": 1,
    "key_network": 1,
    "key_row_unreadable": 1,
    "key_revoked": 5,
    "key_unknown_foreign": 5,
    "key_unknown": 20,
    "key_wrong_secret": 20,
    "key_row_forged": 20,
    "key_canary": 100,
}


def _happen(world: World, id: str, reason: str) -> None:
    """Let happen to a key, and to the world around it, what this reason is given for."""
    if reason == "key_unknown_foreign":
        rows = [ForeignKey(hash="ab" * 32, order=NewKey(name="n"))]
        assert not isinstance(drive(world.service.import_hashes(rows, world.by())), Refusal)
    if reason == "key_expired":
        world.clock.advance(30 * SECOND)
    if reason == "key_revoked":
        drive(world.service.revoke(id, world.by()))
    if reason == "key_row_forged":
        world.tamper(id, scopes=("admin:*",))
    if reason == "key_row_unreadable":
        row = world.keys.lookup.macs.row(replace(world.stored(id), limits=("5/fortnight",)), world.row(id).version)
        assert drive(world.store.commit([Put(KEYS, row)])).done
    world.hear()
    world.tend()


def _presented(world: World, issued: Issued, reason: str) -> str:
    """Give the text that is refused for this reason."""
    if reason == "key_check":
        return issued.text[:-6] + "000000"
    if reason in {"key_form", "key_unknown_foreign"}:
        return "x" * 20
    draw = Random(7).randbytes
    if reason == "key_wrong_secret":
        return KeyFormat("grsn").make("sk", issued.record.secrets[0].id, draw)
    if reason in {"key_unknown", "key_environment"}:
        return KeyFormat("grsn", "test" if reason == "key_environment" else "live").make("sk", "0" * 12, draw)
    if reason == "key_canary":
        return _canary(world)
    return issued.text


def _canary(world: World) -> str:
    canary = drive(world.service.create(NewKey(name="bait"), world.by(), canary=True))
    assert isinstance(canary, Issued)
    return canary.text


def _attempt(world: World, reason: str) -> Refusal:
    """Present a key in a way that is refused for this reason."""
    issued = world.make(networks=("10.0.0.0/8",) if reason == "key_network" else (), expires_in="30s")
    _happen(world, issued.record.id, reason)
    text = _presented(world, issued, reason)
    if reason == "key_in_query":
        return _refusal(_found(world, query=f"a=1&k={text.replace('_', '%5F')}"))
    return _refusal(world.ask(text))


@pytest.mark.parametrize("reason", WEIGHED)
def test_attempts_weigh_by_how_hard_they_are_to_make_by_mistake(reason: str) -> None:
    """And those that somebody must look at say so."""
    refusal = _attempt(World(), reason)

    assert (refusal.reason, refusal.weight) == (reason, WEIGHED[reason])
    alarm = reason in {"key_canary", "key_row_forged", "key_row_unreadable"}
    assert refusal.severity == ("critical" if alarm else "warning")


class TestLasting:
    """What a connection that stays open holds on to."""

    def _lasting(self, world: World, text: str) -> Proved | None:
        found = _found(world, ("x-api-key", text))
        assert isinstance(found, Presented)
        return world.keys.lasting(found)

    def test_a_hot_key_stands_until_its_instant(self) -> None:
        world = World()
        text = world.make(expires_in="30s").text
        assert self._lasting(world, text) is None, "not proved yet"
        world.heat(text)
        lasting = self._lasting(world, text)
        assert lasting is not None
        now, monotonic = world.clock.wall(), world.clock.monotonic()

        assert world.keys.stands(lasting, b"", now + 30 * SECOND - 1, monotonic)
        assert not world.keys.stands(lasting, b"", now + 30 * SECOND, monotonic)
        assert not world.keys.stands(lasting, b"", now, monotonic + SECOND), "news is not fresh"
        assert (world.keys.kind, world.keys.lasts) == ("key", False)

    def test_it_stands_no_longer_than_it_lives(self) -> None:
        world = World()
        issued = world.make()
        world.heat(issued.text)
        lasting = self._lasting(world, issued.text)
        assert lasting is not None
        drive(world.service.revoke(issued.record.id, world.by()))

        assert not world.keys.stands(lasting, b"", world.clock.wall(), world.clock.monotonic())

    @pytest.mark.parametrize(
        "order",
        [
            {"networks": ("192.0.2.0/24",)},
            {"routes": ("GET /notes/{id}",)},
            {"kind": "pk", "origins": ("https://a.example",)},
            {"uses": 9},
        ],
    )
    def test_what_is_restricted_is_believed_each_time(self, order: dict[str, Any]) -> None:
        world = World()
        text = world.make(**order).text
        world.heat(text, origin="https://a.example")

        assert self._lasting(world, text) is None


def test_closing_writes_what_is_left() -> None:
    """Uses, and what was renewed."""
    before = World(ring=KeyRing([OLD_ROOT]))
    issued = before.make()
    world = World(ring=KeyRing([ROOT, OLD_ROOT]), beside=before)
    assert world.reason(issued.text) == ""
    drive(world.keys.close(world.clock.wall()))

    assert drive(world.store.get(USES, issued.record.secrets[0].id)).count == 1
    assert world.stored(issued.record.id).secrets[0].pepper == world.ring.current


def test_a_combined_principal_spends_for_the_app() -> None:
    world = World()
    app = world.ask(world.make(uses=2).text)
    assert isinstance(app, Principal)
    combined, alone = Principal(subject="ada", app=app), Principal(subject="ada")

    assert [drive(world.keys.spend(alone)) for _ in range(2)] == [None, None]
    assert drive(world.keys.spend(combined)) is None
    assert _refusal(drive(world.keys.spend(combined))).reason == "key_spent"
