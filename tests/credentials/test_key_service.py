"""What is done to keys: made, listed, rotated, ended; each recorded, each told to every process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.credentials.key_order import NewKey, mistakes
from garrison.credentials.key_record import ALLOWANCES, KEEP, KEYS, MOST_SECRETS
from garrison.credentials.key_service import Issued
from garrison.credentials.key_view import IDLE, KeyView
from garrison.guard.drive import drive
from garrison.model.event import Event
from garrison.model.http.refusal import Refusal
from garrison.model.principal import Principal
from garrison.policy.schema import Keys
from garrison.stores.protocols import Query
from tests.credentials.world import ADA, ADDRESS, DAY, HOUR, MINUTE, SECOND, START, Gated, World

BOB = Principal(subject="bob", scopes=frozenset(("notes:read",)))


def _create(world: World, actor: Principal = ADA, owner: Principal | None = None, **order: Any) -> Issued | Refusal:
    return drive(world.service.create(NewKey(**{"name": "mine", **order}), world.by(actor), owner))


def _issued(answer: Issued | Refusal) -> Issued:
    assert isinstance(answer, Issued), answer
    return answer


def _events(world: World) -> list[Event]:
    asyncio.run(world.store.flush())
    return [sealed.event for sealed in drive(world.store.read(Query()))]


class TestCreate:
    def test_a_user_makes_keys_of_their_own(self) -> None:
        world = World()
        issued = _issued(_create(world, scopes=("notes:read",), expires_in="90d"))

        record = world.stored(issued.record.id)

        assert (record.owner, record.subject, record.subject_kind) == (ADA.id, "ada", "user")
        assert (record.created, record.expires, record.purge) == (START, START + 90 * DAY, START + 90 * DAY + KEEP)

    def test_the_store_never_sees_the_secret(self) -> None:
        world = World()
        issued = _issued(_create(world))

        assert issued.text.split("_")[4][:43] not in repr(world.stored(issued.record.id))

    def test_it_is_recorded_with_who_did_it_and_from_where(self) -> None:
        world = World()
        issued = _issued(_create(world))

        (event,) = _events(world)

        assert (event.code, event.actor, event.subject) == ("key_created", ADA.id, f"key:{issued.record.id}")
        assert (event.address, event.correlation, event.at) == (ADDRESS, "c1", START)
        assert issued.text not in repr(event)

    def test_nobody_grants_what_they_lack(self) -> None:
        """Else the key would wait for the day its owner is promoted."""
        refusal = _create(World(), scopes=("notes:read", "admin:all"))

        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.reason) == ("scope_missing", "scope_missing:admin:all")

    def test_nobody_makes_a_key_for_another(self) -> None:
        refusal = _create(World(), owner=BOB)

        assert isinstance(refusal, Refusal)
        assert refusal.code == "not_found"

    def test_the_operator_makes_keys_for_anybody(self) -> None:
        world = World()

        assert world.make(BOB, scopes=("notes:*",)).record.owner == BOB.id

    def test_an_owner_has_so_many_keys_and_no_more(self) -> None:
        world = World(policy=Keys(most_per_owner=3))
        issued = [_issued(_create(world)) for _ in range(3)]
        refusal = _create(world)
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (409, "key_too_many")

        drive(world.service.revoke(issued[0].record.id, world.by(ADA)))

        assert isinstance(_create(world), Issued), "a revoked key does not count"
        assert isinstance(_create(world, BOB), Issued), "nor do another's"

    @pytest.mark.parametrize(
        ("order", "path", "code"),
        [
            ({"name": ""}, "name", "length"),
            ({"name": "x" * 65}, "name", "length"),
            ({"name": "a\nb"}, "name", "format"),
            ({"kind": "xk"}, "kind", "choice"),
            ({"scopes": ("no scope",)}, "scopes[0]", "format"),
            ({"expires_in": "soon"}, "expires_in", "format"),
            ({"expires_in": "0s"}, "expires_in", "rule"),
            ({"networks": ("10.0.0.1/8",)}, "networks[0]", "format"),
            ({"networks": ("unix",)}, "networks[0]", "format"),
            ({"networks": ("10.0.0.0/255.0.0.0",)}, "networks[0]", "format"),
            ({"routes": ("FETCH /x",)}, "routes[0]", "format"),
            ({"origins": ("https://a.example/",)}, "origins[0]", "format"),
            ({"limits": ("5/s",)}, "limits[0]", "rule"),
            ({"limits": ("5/s per principal",)}, "limits[0]", "rule"),
            ({"limits": ("5 at once per key",)}, "limits[0]", "rule"),
            ({"limits": ("often",)}, "limits[0]", "format"),
            ({"uses": 0}, "uses", "range"),
            ({"kind": "pk", "scopes": ("notes:read",)}, "origins", "rule"),
            ({"kind": "pk", "origins": ("https://a.example",), "scopes": ("notes:write",)}, "scopes", "rule"),
            ({"kind": "rk"}, "routes", "rule"),
        ],
    )
    def test_an_order_that_cannot_be_says_which_field_is_wrong(
        self, order: dict[str, Any], path: str, code: str
    ) -> None:
        refusal = _create(World(), **order)

        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.status) == ("body_invalid", 422)
        assert [(each["path"], each["code"]) for each in refusal.members["errors"]] == [(path, code)]

    def test_all_mistakes_are_told_at_once(self) -> None:
        assert len(mistakes(NewKey(name="", scopes=("a b", "c d"), expires_in="soon"))) == 4

    @given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=3))
    def test_no_text_breaks_the_order(self, name: str, texts: list[str]) -> None:
        words = tuple(texts)
        order = NewKey(name=name, scopes=words, networks=words, routes=words, origins=words, limits=words)

        assert isinstance(mistakes(order), tuple)


class TestListAndShow:
    def test_everyone_sees_their_own_and_the_operator_all(self) -> None:
        world = World()
        for actor in (ADA, ADA, BOB):
            _create(world, actor)

        def names(actor: Principal, owner: str = "") -> int:
            found = drive(world.service.list(world.by(actor), owner))
            assert not isinstance(found, Refusal)
            return len(found)

        assert (names(ADA), names(BOB), names(ADA, BOB.id)) == (2, 1, 2)
        assert (names(world.by().actor), names(world.by().actor, BOB.id)) == (3, 1)

    def test_a_page_goes_on_where_the_last_ended(self) -> None:
        world = World()
        for _ in range(5):
            world.make()
        seen: list[str] = []
        while page := drive(world.service.list(world.by(), "", seen[-1] if seen else "", 2)):
            assert not isinstance(page, Refusal)
            seen += [each.id for each in page]

        assert len(seen) == len(set(seen)) == 5

    def test_what_is_shown_holds_no_mac_and_no_seal(self) -> None:
        world = World()
        issued = world.make(uses=7)
        record = world.stored(issued.record.id)

        shown = drive(world.service.show(issued.record.id, world.by()))

        assert isinstance(shown, KeyView)
        assert record.secrets[0].mac.hex() not in repr(shown)
        assert repr(record.secrets[0].mac) not in repr(shown)
        assert shown.uses_left == 7

    def test_every_secret_says_how_it_stands(self) -> None:
        world = World(policy=Keys(overlap="1h"))
        issued = world.make()
        drive(world.service.rotate(issued.record.id, world.by()))
        world.clock.advance(HOUR - MINUTE)

        def told() -> list[str]:
            shown = drive(world.service.show(issued.record.id, world.by()))
            assert isinstance(shown, KeyView)
            return [secret.told for secret in shown.secrets]

        assert told() == ["current secret", "old secret idle for less than an hour, in use"]
        world.clock.advance(HOUR)
        assert told() == ["current secret", "old secret idle for 1h, expired"]

    def test_another_ones_key_looks_like_a_missing_one(self) -> None:
        world = World()
        issued = _issued(_create(world))

        answers = [drive(world.service.show(id, world.by(BOB))) for id in (issued.record.id, "0" * 10)]

        assert answers[0] == answers[1]
        assert isinstance(answers[0], Refusal)
        assert answers[0].status == 404


class TestRotate:
    def test_both_work_for_the_overlap_then_only_the_new_one(self) -> None:
        world = World()
        old = world.make()
        new = _issued(drive(world.service.rotate(old.record.id, world.by())))
        assert world.reason(old.text) == world.reason(new.text) == ""

        world.clock.advance(24 * HOUR - 1)
        world.hear()
        assert world.reason(old.text) == ""
        world.clock.advance(1)
        assert world.reason(old.text) == "key_expired"
        assert world.reason(new.text) == ""

    def test_it_stays_the_same_key(self) -> None:
        world = World()
        old = world.make(ADA, scopes=("notes:read",), limits=("5/s per key",))
        new = _issued(drive(world.service.rotate(old.record.id, world.by())))

        assert world.ask(old.text) != world.ask(new.text)
        assert getattr(world.ask(old.text), "credential", 1) == getattr(world.ask(new.text), "credential", 2)
        assert new.record.id == old.record.id
        assert new.record.limits == old.record.limits

    def test_the_overlap_never_outlasts_the_old_end(self) -> None:
        world = World()
        first = world.make(expires_in="1h")
        second = _issued(drive(world.service.rotate(first.record.id, world.by(), 10 * MINUTE)))
        third = _issued(drive(world.service.rotate(first.record.id, world.by(), 30 * MINUTE)))

        assert [secret.expires - START for secret in third.record.secrets] == [-START, 30 * MINUTE, 10 * MINUTE]
        world.clock.advance(HOUR)
        world.hear()
        assert {world.reason(text) for text in (first.text, second.text, third.text)} == {"key_expired"}

    def test_three_secrets_are_the_most(self) -> None:
        world = World()
        id = world.make().record.id
        for _ in range(MOST_SECRETS - 1):
            _issued(drive(world.service.rotate(id, world.by())))

        refusal = drive(world.service.rotate(id, world.by()))

        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (409, "key_secrets_full")

    def test_an_overlapped_secret_makes_room(self) -> None:
        world = World()
        id = world.make().record.id
        for _ in range(6):
            issued = _issued(drive(world.service.rotate(id, world.by(), HOUR)))
            world.clock.advance(HOUR)

        assert len(issued.record.secrets) == 2

    def test_panic_ends_every_other_secret_at_once(self) -> None:
        world = World()
        old = world.make()
        world.heat(old.text)

        new = _issued(drive(world.service.rotate(old.record.id, world.by(), 0)))

        assert world.reason(old.text) == "key_unknown"
        assert world.reason(new.text) == ""

    def test_early_drop_ends_the_old_one(self) -> None:
        world = World()
        old = world.make()
        new = _issued(drive(world.service.rotate(old.record.id, world.by())))
        world.heat(old.text)
        drive(world.service.drop_old(old.record.id, world.by()))

        assert world.reason(old.text) == "key_unknown"
        assert world.reason(new.text) == ""

    def test_early_drop_of_one_leaves_the_others(self) -> None:
        world = World()
        first = world.make()
        second = _issued(drive(world.service.rotate(first.record.id, world.by())))
        third = _issued(drive(world.service.rotate(first.record.id, world.by())))
        drive(world.service.drop_old(first.record.id, world.by(), first.record.secrets[0].id))

        assert [world.reason(each.text) for each in (first, second, third)] == ["key_unknown", "", ""]

    @pytest.mark.parametrize("secret", ["", "0" * 12])
    def test_nothing_to_drop_is_a_conflict(self, secret: str) -> None:
        world = World()
        refusal = drive(world.service.drop_old(world.make().record.id, world.by(), secret))

        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.reason) == ("conflict", "key_secret_unknown")

    def test_the_newest_secret_is_never_dropped_alone(self) -> None:
        """A key without a secret would be a key nobody can use and nobody has ended."""
        world = World()
        issued = world.make()
        drive(world.service.rotate(issued.record.id, world.by()))
        newest = world.stored(issued.record.id).secrets[0]
        drive(world.service.drop_old(issued.record.id, world.by(), newest.id))

        assert world.stored(issued.record.id).secrets[0] == newest

    def test_a_key_of_another_environment_is_not_rotated_here(self) -> None:
        """Its new text would say that it is of this one."""
        there = World(policy=Keys(environment="test"))
        here = World(policy=Keys(environment="live"), beside=there)

        refusal = drive(here.service.rotate(there.make().record.id, here.by()))

        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (409, "key_environment")

    @pytest.mark.parametrize("end", ["expire", "revoke", "canary"])
    def test_a_dead_key_is_not_brought_back(self, end: str) -> None:
        world = World()
        issued = _issued(
            drive(world.service.create(NewKey(name="x", expires_in="1h"), world.by(), canary=end == "canary"))
        )
        if end == "expire":
            world.clock.advance(HOUR)
        if end == "revoke":
            drive(world.service.revoke(issued.record.id, world.by()))

        refusal = drive(world.service.rotate(issued.record.id, world.by()))

        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (409, "key_dead")


class TestSafeToDrop:
    """No peer tells when it is safe."""

    def _rotated(self) -> tuple[World, Issued, Issued]:
        world = World(policy=Keys(overlap="30d"))
        old = world.make()
        world.ask(old.text)
        return world, old, _issued(drive(world.service.rotate(old.record.id, world.by())))

    def _told(self, world: World, old: Issued) -> list[str]:
        world.tend()
        found = drive(world.service.safe_to_drop(old.record.id, world.by()))
        assert not isinstance(found, Refusal)
        return [secret.told for secret in found]

    def test_idle_for_six_hours_while_the_new_one_works(self) -> None:
        world, old, new = self._rotated()
        world.clock.advance(IDLE - 2 * MINUTE)
        world.hear()
        world.ask(new.text)
        assert self._told(world, old) == []
        world.clock.advance(2 * MINUTE)
        world.hear()

        assert self._told(world, old) == ["old secret idle for 6h, safe to drop"]

    def test_silence_of_both_proves_nothing(self) -> None:
        world, old, _ = self._rotated()
        world.clock.advance(7 * DAY)
        world.hear()

        assert self._told(world, old) == []

    def test_one_that_is_used_is_not_safe(self) -> None:
        world, old, new = self._rotated()
        world.clock.advance(IDLE)
        world.hear()
        world.ask(new.text)
        world.ask(old.text)

        assert self._told(world, old) == []


class TestEnd:
    def test_revoked_is_revoked_at_once_and_stays_listed(self) -> None:
        world = World()
        issued = world.make(uses=100)
        world.heat(issued.text)
        drive(world.service.revoke(issued.record.id, world.by(), "leaked"))

        assert world.reason(issued.text) == "key_revoked"
        assert drive(world.store.get(ALLOWANCES, issued.record.id)) is None
        world.clock.advance(KEEP - 1)
        assert world.stored(issued.record.id).reason == "leaked"
        world.clock.advance(1)
        assert drive(world.store.get(KEYS, issued.record.id)) is None

    def test_twice_is_a_conflict(self) -> None:
        world = World()
        id = world.make().record.id
        drive(world.service.revoke(id, world.by()))

        refusal = drive(world.service.revoke(id, world.by()))

        assert isinstance(refusal, Refusal)
        assert refusal.status == 409

    def test_a_user_ends_only_their_own(self) -> None:
        world = World()
        issued = _issued(_create(world))

        refusal = drive(world.service.revoke(issued.record.id, world.by(BOB)))

        assert isinstance(refusal, Refusal)
        assert refusal.status == 404
        assert world.reason(issued.text) == ""

    @pytest.mark.parametrize("status", ["revoked", "canary"])
    def test_neither_quarantine_nor_release_brings_back_what_is_dead(self, status: str) -> None:
        world = World()
        issued = _issued(drive(world.service.create(NewKey(name="x"), world.by(), canary=status == "canary")))
        if status == "revoked":
            drive(world.service.revoke(issued.record.id, world.by()))

        for change in (world.service.quarantine, world.service.release):
            assert isinstance(drive(change(issued.record.id, world.by())), Refusal)
        assert world.stored(issued.record.id).status == status

    def test_a_network_that_is_none_is_told(self) -> None:
        world = World()
        refusal = drive(world.service.quarantine(world.make().record.id, world.by(), known=("unix", "10.0.0.0/8", "x")))

        assert isinstance(refusal, Refusal)
        assert [each["path"] for each in refusal.members["errors"]] == ["known[0]", "known[2]"]

    def test_every_change_is_recorded(self) -> None:
        world = World()
        id = world.make().record.id
        for change in (
            world.service.quarantine(id, world.by(), "odd"),
            world.service.release(id, world.by()),
            world.service.rotate(id, world.by()),
            world.service.drop_old(id, world.by()),
            world.service.rotate(id, world.by(), 0),
            world.service.revoke(id, world.by()),
        ):
            assert not isinstance(drive(change), Refusal)

        assert [(event.code, event.severity) for event in _events(world)] == [
            ("key_created", "info"),
            ("key_quarantined", "warning"),
            ("key_released", "warning"),
            ("key_rotated", "info"),
            ("key_secret_dropped", "info"),
            ("key_rotated", "warning"),
            ("key_revoked", "warning"),
        ]


def test_of_two_who_change_a_key_at_once_neither_is_lost() -> None:
    """Both read the same version; the one who commits second is told so, and reads again."""
    world = World(face=Gated)
    assert isinstance(world.records, Gated)
    id = world.make().record.id

    async def race(records: Gated) -> None:
        records.gate = asyncio.Event()
        both = asyncio.gather(world.service.rotate(id, world.by()), world.service.quarantine(id, world.by()))
        await records.read.acquire()
        await records.read.acquire()
        records.gate.set()
        await both

    asyncio.run(race(world.records))

    record = world.stored(id)
    assert len(record.secrets) == 2
    assert record.status == "quarantined"


def test_another_process_knows_a_new_key_within_a_second() -> None:
    here = World()
    there = World(beside=here)
    there.tend()
    issued = here.make()
    there.clock.advance(SECOND // 2)
    there.hear()

    assert there.reason(issued.text) == ""
